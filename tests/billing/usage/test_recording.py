"""Recording events: each id once for ever, whole batches or none, and what does not count is kept with its reason."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from chom_core.billing.models import UsageDay, UsageEvent
from chom_core.billing.service.usage import rollups
from chom_core.billing.service.usage.ingest import NewEvent, Recorded, Unmatched, record, record_batch
from chom_core.database import everyone, transaction
from chom_core.values import Conflict, Invalid, NotFound, uuid7
from tests.billing.usage.scene import KINDS, NOON, event, kinds, subscribed
from tests.conftest import Database, make_tenant


@pytest.fixture
def tenant(database: Database) -> UUID:
    return subscribed()


def stored(tenant: UUID) -> int:
    with transaction(tenant) as here:
        return here.scalar(select(func.count(UsageEvent.id))) or 0


def used(tenant: UUID, meter: str = "traffic_gb") -> Decimal:
    with transaction(tenant) as here:
        return here.scalar(
            select(func.coalesce(func.sum(UsageDay.total), 0)).where(UsageDay.meter == meter)
        ) or Decimal(0)


def proven() -> None:
    with everyone("test") as here:
        assert rollups.check(here) == []


def test_evt_01_an_id_counts_once_for_ever(tenant: UUID) -> None:
    with transaction(tenant):
        assert record(event("T1", 5)) == Recorded(1)
    with transaction(tenant):
        assert record(event("T1", 5)) == Recorded(0, duplicates=(0,))
    assert (stored(tenant), used(tenant)) == (1, 5)
    proven()


def test_evt_02_a_doubled_id_in_a_batch_is_reported_and_counts_once(tenant: UUID) -> None:
    batch = [event("duplicate_txn", 2), event("txn_1", 3), event("duplicate_txn", 2)]
    with transaction(tenant):
        assert record_batch(batch) == Recorded(2, duplicates=(2,))
    with transaction(tenant):
        assert record_batch(batch) == Recorded(0, duplicates=(0, 1, 2))
    assert (stored(tenant), used(tenant)) == (2, 5)
    proven()


@pytest.mark.parametrize("count", [0, 100, 101])
def test_evt_04_a_batch_holds_one_to_a_hundred(tenant: UUID, count: int) -> None:
    batch = [event(f"e{i}") for i in range(count)]
    if count == 100:
        with transaction(tenant):
            assert record_batch(batch) == Recorded(100)
    else:
        with pytest.raises(Invalid) as refused, transaction(tenant):
            record_batch(batch)
        assert "events" in refused.value.fields
    assert stored(tenant) == (100 if count == 100 else 0)


def test_evt_05_events_count_from_35_days_back_to_five_minutes_ahead(tenant: UUID) -> None:
    distances = [timedelta(days=-36), timedelta(days=-34), timedelta(minutes=4), timedelta(minutes=6)]
    accepted = []
    for i, distance in enumerate(distances):
        with transaction(tenant):
            accepted.append(record(event(f"e{i}", at=NOON + distance)).accepted == 1)
    assert accepted == [False, True, True, False]
    with transaction(tenant) as here:
        kept = here.execute(
            select(UsageEvent.event_id, UsageEvent.reason).order_by(UsageEvent.event_id)
        ).all()
    assert [reason for _, reason in kept] == ["outside_window", "", "", "outside_window"]
    proven()


def test_what_has_nothing_to_count_towards_is_kept_with_its_reason(tenant: UUID) -> None:
    with transaction(tenant):
        found = record_batch(
            [event("a"), event("b", meter="no_such"), event("c", at=NOON - timedelta(days=50))]
        )
    assert found == Recorded(1, unmatched=(Unmatched(1, "unknown_meter"), Unmatched(2, "outside_window")))
    stranger = make_tenant("Nobody")
    with transaction(stranger):
        assert record(event("a")) == Recorded(0, unmatched=(Unmatched(0, "no_subscription"),))
    young = subscribed(name="Young", begun=NOON - timedelta(days=3))
    with transaction(young):
        assert record(event("early", at=NOON - timedelta(days=4))).unmatched[0].reason == "no_subscription"
    assert (used(tenant), used(stranger), used(young)) == (1, 0, 0)
    proven()


def test_two_organisations_may_use_one_id(tenant: UUID) -> None:
    other = subscribed(name="Pinecrest")
    for who in (tenant, other):
        with transaction(who):
            assert record(event("T1")) == Recorded(1)
    proven()


BAD: list[dict[str, Any]] = [
    {"id": ""}, {"id": "x" * 101}, {"id": "a\x00b"}, {"meter": "Not A Meter"}, {"meter": "m" * 81},
    {"value": Decimal("NaN")}, {"value": Decimal("Infinity")}, {"value": Decimal("-1")},
    {"value": Decimal("1e400")}, {"value": Decimal("1e-400")}, {"value": Decimal("0.0000000001")},
    {"value": Decimal(10) ** 15}, {"at": datetime(9999, 12, 31, 23, 59, tzinfo=NOON.tzinfo)},
    {"at": datetime(1, 1, 1, tzinfo=NOON.tzinfo)}, {"at": NOON.replace(tzinfo=None)},
    {"subject": uuid7()}, {"key": "not unique"}, {"properties": {"a": "x" * 201}}, {"properties": {"a": 1.5}},
    {"properties": {str(i): 1 for i in range(11)}}, {"properties": {"a": {"b": 1}}}, {"properties": {"a": "\x00"}},
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: "-".join(f"{k}={str(v)[:12]}" for k, v in bad.items()))
def test_one_bad_event_refuses_the_batch_and_nothing_is_written(tenant: UUID, bad: dict[str, Any]) -> None:
    facts = {"id": "bad", "meter": "traffic_gb", "value": Decimal(1)} | bad
    with pytest.raises((Invalid, NotFound)) as refused, transaction(tenant):
        record_batch([event("good"), NewEvent(**facts)])
    assert list(refused.value.fields) == [f"events.1.{next(iter(bad))}"]
    assert stored(tenant) == 0


def test_another_organisations_service_is_not_found(tenant: UUID) -> None:
    with pytest.raises(NotFound), transaction(tenant):
        record(event("a", subject=uuid7()))
    assert stored(tenant) == 0


def test_an_id_with_another_body_is_refused_and_the_rest_too(tenant: UUID) -> None:
    with transaction(tenant):
        record(event("T1", 5))
    with transaction(tenant), pytest.raises(Conflict) as refused:
        record_batch([event("fresh"), event("T1", 6)])
    assert refused.value.fields == {"events.1.id": ["This id was used for another event."]}
    with pytest.raises(Conflict), transaction(tenant):
        record_batch([event("x", 1), event("x", 2)])
    assert (stored(tenant), used(tenant)) == (1, 5)
    proven()


def test_fifty_senders_of_one_batch_at_once_count_it_once(tenant: UUID) -> None:
    def send(turn: int) -> int:
        batch = [event(f"e{i}", i) for i in range(20)]
        batch = batch[turn % 20 :] + batch[: turn % 20]
        with transaction(tenant):
            return record_batch(batch).accepted

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(send, range(50))) == 20
    assert (stored(tenant), used(tenant)) == (20, sum(range(20)))
    proven()


def test_levels_recorded_at_once_leave_their_day_right(tenant: UUID, monkeypatch: Any) -> None:
    kinds(monkeypatch)

    def send(turn: int) -> int:
        at = NOON - timedelta(minutes=7 * turn)
        with transaction(tenant):
            return record_batch([event(f"{kind}{turn}", turn, at, f"t.{kind}", key="k" if kind == "unique" else "")
                                 for kind in KINDS]).accepted  # fmt: skip

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(send, range(40))) == 40 * len(KINDS)
    proven()


def test_what_was_received_cannot_be_changed_by_anyone(tenant: UUID, database: Database) -> None:
    import psycopg

    with transaction(tenant):
        record(event("T1", 5))
    with psycopg.connect(database.root.replace("+psycopg", "")) as root:
        for change in ("update core.usage_event set value = 1", "delete from core.usage_event"):
            with pytest.raises(psycopg.errors.CheckViolation), root.transaction():
                root.execute(change)
