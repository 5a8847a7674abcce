"""Properties of cycles and proration: periods tile, parts sum, and no credit exceeds its line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chom_core.billing.rules.cycles import Alignment, Cycle, Interval, local_date
from chom_core.billing.rules.proration import Proration, days, prorate, share, unused, used
from chom_core.billing.rules.trials import charged_from, trial_end
from chom_core.values.money import Money
from chom_core.values.period import Period
from tests.billing.rules.facts import eur, span, utc

ZONES = st.sampled_from(
    ["UTC", "America/New_York", "America/Juneau", "Europe/Paris", "Asia/Kolkata", "Pacific/Apia", "America/Sao_Paulo",
     "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Kiritimati", "America/St_Johns"]
)  # fmt: skip
INSTANTS = st.integers(0, 24 * 366 * 86400 * 1000).map(
    lambda n: datetime(2008, 1, 1, tzinfo=UTC) + timedelta(milliseconds=n)
)
CENTS = st.integers(0, 10**9)


@st.composite
def cycles(draw: st.DrawFn) -> Cycle:
    interval = draw(st.sampled_from(Interval))
    most = {Interval.DAY: 0, Interval.WEEK: 7}.get(interval, 31)
    return Cycle(
        interval,
        draw(INSTANTS),
        draw(ZONES),
        draw(st.integers(1, 5)),
        draw(st.sampled_from(Alignment)),
        draw(st.none() | st.integers(1, most)) if most else None,
    )


@given(cycles(), INSTANTS)
def test_each_instant_lies_in_one_period_and_periods_tile(cycle: Cycle, instant: datetime) -> None:
    period = cycle.containing(instant)
    assert instant in period
    assert cycle.after(period).start == period.end
    assert cycle.containing(period.start) == period
    assert cycle.containing(period.start - timedelta(microseconds=1)).end == period.start


@given(cycles(), st.integers(1, 400))
def test_periods_from_the_anchor_leave_no_gap(cycle: Cycle, length: int) -> None:
    until = cycle.anchor + timedelta(days=length)
    found = [cycle.first()]
    while found[-1].end < until:
        found.append(cycle.after(found[-1]))
    assert found[0].start == cycle.anchor and found[-1].start < until <= found[-1].end
    assert all(before.end == after.start for before, after in pairwise(found))
    assert all(cycle.containing(period.start) == period for period in found[1:]), (
        "only the first may be a stub"
    )


@given(cycles(), st.lists(st.integers(1, 10**6), max_size=4, unique=True), CENTS, st.sampled_from(Proration))
def test_parts_of_a_period_sum_to_it(cycle: Cycle, cuts: list[int], cents: int, by: Proration) -> None:
    full = cycle.containing(cycle.anchor)
    marks = [full.start + (full.end - full.start) * (cut / (10**6 + 1)) for cut in sorted(cuts)]
    marks = [full.start, *dict.fromkeys(mark for mark in marks if full.start < mark < full.end), full.end]
    parts = [Period(start, end) for start, end in pairwise(marks)]
    assert sum(share(part, full, by, cycle.zone) for part in parts) == 1
    assert all(0 <= share(part, full, by, cycle.zone) <= 1 for part in parts)
    assert prorate(Money(cents, "EUR"), full, full, by, cycle.zone).amount == cents


@given(cycles(), CENTS, INSTANTS, st.sampled_from(Proration), st.booleans(), CENTS)
def test_no_credit_exceeds_its_line(
    cycle: Cycle, cents: int, at: datetime, by: Proration, day_used: bool, before: int
) -> None:
    paid, period = Money(cents, "EUR"), cycle.first()
    credited = Money(min(before, cents), "EUR")
    credit = unused(paid, period, at, by, cycle.zone, day_used=day_used, credited=credited)
    assert credit.amount >= 0 and (credit + credited).amount <= cents
    if at >= period.end:
        assert not credit
    if at <= period.start and by is Proration.SECOND:
        assert credit + credited == paid


@given(INSTANTS, st.integers(0, 60), ZONES, st.sampled_from(Proration), st.sampled_from(Alignment))
def test_trials_end_on_the_same_local_day_count(
    start: datetime, length: int, zone: str, by: Proration, alignment: Alignment
) -> None:
    end = trial_end(start, length, zone)
    assert (local_date(end, zone) - local_date(start, zone)).days == length or zone == "Pacific/Apia"
    cycle = Cycle(Interval.MONTH, start, zone, alignment=alignment)
    assert abs(charged_from(end, cycle, by) - end) <= timedelta(hours=25)


@given(cycles(), CENTS, st.integers(0, 1000), st.sampled_from(Proration), st.booleans())
def test_arrears_and_advance_agree(cycle: Cycle, cents: int, cut: int, by: Proration, day_used: bool) -> None:
    period = cycle.containing(cycle.anchor)
    at = period.start + (period.end - period.start) * (cut / 1000)
    paid = Money(cents, "EUR")
    behind = used(paid, period.start, period, at, by, cycle.zone, day_used=day_used)
    ahead = paid - unused(paid, period, at, by, cycle.zone, day_used=day_used)
    assert abs((behind - ahead).amount) <= 1, "at most the half cent that both round up"
    assert eur(0) <= behind <= paid


def test_a_cancellation_in_arrears_pays_for_its_day() -> None:
    march = span("2024-03-01", "2024-04-01")
    start, at = utc("2024-03-05T12:00Z"), utc("2024-03-10T09:00Z")
    assert used(eur(3100), start, march, at, Proration.DAY, day_used=True) == eur(600)
    assert used(eur(3100), start, march, at, Proration.DAY) == eur(500), (
        "after a change the new plan pays for it"
    )
    assert used(eur(3100), start, march, march.end, Proration.DAY, day_used=True) == eur(2700)


def test_more_anchors() -> None:
    leap = Cycle(Interval.YEAR, utc("2024-02-29"))
    assert [leap.nth(n) for n in (1, 4)] == [utc("2025-02-28"), utc("2028-02-29")]
    assert leap.containing(utc("2023-12-24")) == span("2023-02-28", "2024-02-29"), "before the anchor, too"
    quarter = Cycle(Interval.MONTH, utc("2024-02-10"), count=3, alignment=Alignment.CALENDAR)
    assert quarter.containing(utc("2024-05-31")) == span("2024-04-01", "2024-07-01")
    year = Cycle(Interval.YEAR, utc("2024-02-10"), alignment=Alignment.CALENDAR)
    assert year.first() == span("2024-02-10", "2025-01-01")
    fortnight = Cycle(Interval.WEEK, utc("2024-02-10T10:00Z"), count=2)
    assert fortnight.after(fortnight.first()) == span("2024-02-24T10:00:00Z", "2024-03-09T10:00:00Z")
    fridays = Cycle(Interval.WEEK, utc("2024-02-10"), day=5)
    assert fridays.first() == span("2024-02-10", "2024-02-16")


def test_an_anchor_in_the_hour_that_comes_twice_is_kept() -> None:
    second = utc("2024-11-03T06:30:00Z")  # 01:30 in New York, for the second time
    cycle = Cycle(Interval.MONTH, second, "America/New_York")
    assert cycle.nth(0) == second == cycle.first().start
    assert cycle.containing(second) == span("2024-11-03T06:30:00Z", "2024-12-03T06:30:00Z")


def test_days_are_local_and_true_over_a_change_of_clocks() -> None:
    march = Cycle(Interval.MONTH, datetime(2024, 3, 1, 5, tzinfo=UTC), "America/New_York").first()
    assert (days(march, "America/New_York"), march.seconds) == (31, 31 * 86400 - 3600)


def test_a_night_that_goes_back_over_midnight_has_one_boundary() -> None:
    """St. John's went from 00:01 back to 23:01 of the day before: the second 23:30 lies after the boundary."""
    cycle = Cycle(
        Interval.DAY, datetime(2008, 10, 1, tzinfo=UTC), "America/St_Johns", alignment=Alignment.CALENDAR
    )
    second = datetime(2008, 11, 2, 3, 0, tzinfo=UTC)
    assert local_date(second, cycle.zone).day == 1
    assert second in cycle.containing(second)


@pytest.mark.parametrize(
    "bad",
    [
        {"anchor": datetime(2024, 1, 1)},  # noqa: DTZ001
        {"count": 0},
        {"day": 32},
        {"day": 0},
        {"interval": Interval.WEEK, "day": 8},
        {"interval": Interval.DAY, "day": 1},
    ],
)
def test_what_makes_no_cycle_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Cycle(**{"interval": Interval.MONTH, "anchor": datetime(2024, 1, 1, tzinfo=UTC), **bad})  # type: ignore[arg-type]


def test_a_part_lies_within_its_period() -> None:
    day = timedelta(days=1)
    full = Period(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="within"):
        share(Period(full.start - day, full.end), full)
