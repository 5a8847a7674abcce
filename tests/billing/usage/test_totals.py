"""What was used in a period equals the rules over the raw events, in whatever order, how often and corrected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from chom_core.billing.models.usage import ORGANISATION
from chom_core.billing.rules.metering import Aggregation, Event, aggregate
from chom_core.billing.service.usage import corrections, rollups, totals
from chom_core.billing.service.usage.ingest import record, record_batch
from chom_core.database import everyone, transaction
from chom_core.values import Conflict, Invalid, NotFound
from chom_core.values.period import Period
from tests.billing.usage.scene import KINDS, NOON, event, kinds, stand_at, subscribed
from tests.conftest import Database

MONTH = Period(NOON - timedelta(days=10, hours=3), NOON + timedelta(days=20))


@pytest.fixture
def tenant(database: Database, monkeypatch: pytest.MonkeyPatch) -> UUID:
    kinds(monkeypatch)
    return subscribed()


def proven() -> None:
    with everyone("test") as here:
        assert rollups.check(here) == []


@dataclass(frozen=True)
class Sent:
    """One event of a plan of sending: when (minutes before noon), how much, whether it is corrected, to what."""

    number: int
    minutes: int
    value: int
    key: str
    corrected: int | None
    withdrawn: bool


sent = st.builds(
    Sent,
    number=st.integers(0, 30),
    minutes=st.integers(0, 60 * 24 * 20).map(lambda m: m // 7 * 7),
    value=st.integers(0, 50),
    key=st.sampled_from(["a", "b", "c"]),
    corrected=st.none() | st.integers(0, 50),
    withdrawn=st.booleans(),
)
ends = st.integers(-60 * 24 * 21, 60 * 24).filter(lambda m: m != 0)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kind=st.sampled_from(KINDS),
    plan=st.lists(sent, max_size=14, unique_by=lambda one: one.number),
    order=st.randoms(use_true_random=False),
    cut=st.tuples(ends, ends).filter(lambda pair: pair[0] != pair[1]),
)
def test_any_order_duplicates_and_corrections_give_the_raw_figure(
    database: Database, tenant: UUID, kind: str, plan: list[Sent], order: Any, cut: tuple[int, int]
) -> None:
    _clear(database)
    arriving = plan + order.sample(plan, len(plan) // 2)
    order.shuffle(arriving)
    while arriving:
        size = order.randint(1, 5)
        batch, arriving = arriving[:size], arriving[size:]
        with transaction(tenant):
            record_batch([_event(one, kind) for one in batch])
    true = [_raw(one) for one in plan]
    for one in plan:
        if one.corrected is not None:
            value = None if one.withdrawn else Decimal(one.corrected)
            for _twice in range(2):
                with transaction(tenant):
                    corrections.correct(f"e{one.number}", f"c{one.number}", value)
            true = [raw for raw in true if raw.id != f"e{one.number}"]
            if value is not None:
                true.append(Event(f"c{one.number}", _at(one), value, one.key if kind == "unique" else ""))
    proven()
    start, end = sorted(NOON + timedelta(minutes=minutes) for minutes in cut)
    until = min(end, NOON) if kind == "time_weighted" and start < NOON else end
    with transaction(tenant):
        found = totals.used(f"t.{kind}", Period(start, end))
        assert found == aggregate(Aggregation(kind), true, Period(start, until))
        spans = [Period(start, end), MONTH]
        at_once = totals.by_meter([f"t.{one}" for one in KINDS], spans)
        for span in spans:
            assert at_once[span] == {f"t.{one}": totals.by_subject(f"t.{one}", span) for one in KINDS}
        rollups.rebuild()
        assert totals.used(f"t.{kind}", Period(start, end)) == found
    proven()


def _clear(database: Database) -> None:
    root = create_engine(database.root)
    with root.begin() as connection:
        connection.exec_driver_sql("truncate core.usage_event, core.usage_day, core.usage_key")
    root.dispose()


def _at(one: Sent) -> datetime:
    return NOON - timedelta(minutes=one.minutes)


def _event(one: Sent, kind: str) -> Any:
    return event(f"e{one.number}", one.value, _at(one), f"t.{kind}", key=one.key if kind == "unique" else "")


def _raw(one: Sent) -> Event:
    return Event(f"e{one.number}", _at(one), Decimal(one.value), one.key)


def test_a_wrong_day_is_found_and_mended(tenant: UUID) -> None:
    with transaction(tenant):
        record_batch(
            [event("a", 5), event("b", 1, meter="t.unique", key="k"), event("c", 9, meter="t.time_weighted")]
        )
    for damage in (
        "update core.usage_day set total = total + 1 where meter = 'traffic_gb'",
        "update core.usage_day set area = 0 where meter = 't.time_weighted'",
        "delete from core.usage_day where meter = 'traffic_gb'",
        "delete from core.usage_key",
        "update core.usage_day set day = day - 1 where meter = 'traffic_gb'",
    ):
        with transaction(tenant) as here:
            here.connection().exec_driver_sql(damage)
        with everyone("test") as here:
            assert rollups.check(here) != [], damage
        with transaction(tenant):
            rollups.rebuild()
        proven()


def test_use_18_a_late_change_moves_the_running_level_of_the_next_period(tenant: UUID) -> None:
    first = Period(NOON - timedelta(days=20), NOON - timedelta(days=10))
    second = Period(first.end, NOON)
    with transaction(tenant):
        record_batch([event(f"d{i}", -1, first.start + timedelta(days=i), "t.level") for i in range(3)])
        record_batch([event(f"u{i}", 1, second.start + timedelta(days=i), "t.level") for i in range(4)])
        assert totals.used("t.level", first) == -3
        assert totals.used("t.level", second) == 1
    with transaction(tenant):
        record(event("late", 1, first.start + timedelta(days=4), "t.level"))
        assert totals.used("t.level", second) == 2
    proven()


def test_subjects_are_aggregated_apart_and_added_up(tenant: UUID) -> None:
    with transaction(tenant):
        record_batch([event("a", 5, meter="t.max"), event("b", 3, meter="t.max")])
        assert totals.used("t.max", MONTH) == 5
        assert totals.used("t.max", MONTH, ORGANISATION) == 5
        assert totals.used("t.max", MONTH, tenant) == 0
        with pytest.raises(NotFound):
            totals.used("no_such", MONTH)


def test_a_mean_that_goes_on_is_of_the_time_so_far(tenant: UUID) -> None:
    start = datetime(2026, 11, 12, tzinfo=UTC)
    with transaction(tenant):
        record_batch(
            [event("a", 40, start, "storage_gb"), event("b", 80, NOON - timedelta(hours=12), "storage_gb")]
        )
        month = Period(start, datetime(2026, 12, 12, tzinfo=UTC))
        elapsed = (NOON - start).total_seconds()
        expected = (Decimal(40) * int(elapsed - 43200) + Decimal(80) * 43200) / int(elapsed)
        assert round(totals.used("storage_gb", month), 12) == round(expected, 12)
        assert [day.quantity for day in totals.days("storage_gb", month)] == [40, 80]


def test_corrections_that_make_no_sense_are_refused(tenant: UUID) -> None:
    with transaction(tenant):
        record_batch([event("a", 5), event("old", 5, NOON - timedelta(days=34)), event("x", meter="nothing")])
        corrections.correct("a", "a2", Decimal(6))
    stand_at(tenant, NOON + timedelta(days=2))
    for original, correction, value, error in (
        ("no", "n", Decimal(1), NotFound), ("a", "a3", Decimal(7), Conflict), ("a", "a2", Decimal(7), Conflict),
        ("old", "o2", Decimal(1), Invalid), ("x", "x2", Decimal(1), Conflict), ("a2", "", Decimal(1), Invalid),
        ("a2", "a3", Decimal("NaN"), Invalid), ("a2", "a3", Decimal(-1), Invalid),
    ):  # fmt: skip
        with pytest.raises(error), transaction(tenant):
            corrections.correct(original, correction, value)
    with transaction(tenant):
        corrections.correct("a2", "a3", None)
        assert totals.used("traffic_gb", MONTH) == 0
    proven()


def test_what_was_unmatched_counts_once_it_can(tenant: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    from chom_core.billing.service.usage import metering
    from chom_core.plugin_host import Meter

    with transaction(tenant):
        record_batch([event("a", 5, meter="t.later"), event("b", 5, NOON - timedelta(days=34), "t.later")])
        assert corrections.rematch() == 0
    monkeypatch.setattr(metering, "CORE", (*metering.CORE, Meter("t.later", "Later", "")))
    metering._meters.cache_clear()
    stand_at(tenant, NOON + timedelta(days=2))
    with transaction(tenant):
        assert [corrections.rematch() for _ in range(2)] == [1, 0]
        assert totals.used("t.later", MONTH) == 5
    proven()
