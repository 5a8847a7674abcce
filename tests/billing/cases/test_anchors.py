"""Cases ANCH-* and TZ-*: where periods begin and end. Dates are local days, times are UTC where they end in Z."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from chom_core.billing.rules.cycles import Alignment, Cycle, Interval, instant_of, local_date
from chom_core.billing.rules.proration import Proration, days, prorate, unused
from chom_core.billing.rules.trials import charged_from, trial_end
from chom_core.values.money import Money
from tests.billing.cases.facts import span, usd, utc

CALENDAR, DAY = Alignment.CALENDAR, Proration.DAY


@pytest.mark.parametrize(
    ("anchor", "starts"),
    [
        ("2023-01-31", ["2023-02-28", "2023-03-31", "2023-04-30"]),
        ("2024-01-31", ["2024-02-29", "2024-03-31", "2024-04-30"]),
    ],
)
def test_anch_01(anchor: str, starts: list[str]) -> None:
    cycle = Cycle(Interval.MONTH, utc(anchor))
    assert [cycle.nth(n) for n in (1, 2, 3)] == [utc(start) for start in starts]
    period, walked = cycle.first(), []
    for _ in starts:
        period = cycle.after(period)
        walked.append(period.start)
    assert walked == [utc(start) for start in starts], "walking from period to period does not drift"


def test_anch_05() -> None:
    cycle = Cycle(Interval.MONTH, utc("2025-01-31T15:00:00Z"))
    period = span("2025-09-30T15:00:00Z", "2025-10-31T15:00:00Z")
    assert cycle.containing(utc("2025-09-30T15:00:00Z")) == period
    assert cycle.containing(utc("2025-09-30T14:59:59.999999Z")).end == period.start


def test_anch_07() -> None:
    cycle = Cycle(Interval.MONTH, utc("2017-01-31"), day=31)
    billed = list(cycle.periods(cycle.anchor, utc("2017-04-01")))
    assert [period.start for period in billed] == [utc(d) for d in ("2017-01-31", "2017-02-28", "2017-03-31")]
    assert billed[-1].end == utc("2017-04-30")
    assert all(cycle.containing(period.start) == period for period in billed), "none is prorated"


def test_anch_08() -> None:
    cycle = Cycle(Interval.MONTH, utc("2012-04-30"), day=31)
    assert cycle.first() == cycle.containing(utc("2012-04-30")) == span("2012-04-30", "2012-05-31")


def test_anch_10() -> None:
    cycle = Cycle(Interval.YEAR, utc("2024-01-31T01:00:00Z"))
    period = cycle.first()
    runs = ("2024-02-29", "2024-03-31", "2024-04-30", "2025-01-31")
    assert [period.end.date() <= utc(run).date() for run in runs] == [False, False, False, True]
    assert (local_date(period.start, "UTC"), local_date(period.end, "UTC")) == (
        date(2024, 1, 31),
        date(2025, 1, 31),
    )


def test_anch_11() -> None:
    cycle = Cycle(Interval.MONTH, utc("2023-06-16"), alignment=CALENDAR)
    period = cycle.containing(utc("2024-02-01"))
    assert period == span("2024-02-01", "2024-03-01") and days(period) == 29
    assert prorate(Money(700, "EUR"), period, period, DAY) == Money(700, "EUR")
    usage = cycle.containing(period.start - timedelta(seconds=1))
    assert usage == span("2024-01-01", "2024-02-01"), "usage is billed behind, the fee ahead"


def test_tz_01() -> None:
    zone = "America/Juneau"
    free_until = trial_end(utc("2015-09-01T08:01:01Z"), 30, zone)
    assert local_date(free_until, zone) == date(2015, 10, 1)
    cycle = Cycle(Interval.MONTH, free_until, zone, day=1)
    billed = list(cycle.periods(free_until, utc("2017-04-15")))
    assert len(billed) == 19
    assert all(
        local_date(period.start, zone).day == local_date(period.end, zone).day == 1 for period in billed
    )
    assert all(before.end == after.start for before, after in pairwise(billed))
    lines = [prorate(usd("249.95"), period, cycle.containing(period.start)) for period in billed]
    assert lines == [usd("249.95")] * 19


def test_tz_04() -> None:
    zone = "America/Los_Angeles"
    cycle = Cycle(Interval.MONTH, utc("2015-11-01T07:01:01Z"), zone)
    first = cycle.first()
    cancelled = instant_of(date(2015, 12, 1), zone, cycle.anchor.astimezone(ZoneInfo(zone)).time())
    assert cancelled == first.end == utc("2015-12-01T08:01:01Z")
    for by in Proration:
        assert not unused(usd("29.95"), first, cancelled, by, zone, day_used=True), "nothing to give back"
    assert list(cycle.periods(cycle.anchor, cancelled)) == [first], "one invoice"
    now = utc("2015-12-01T07:01:02Z")
    assert now in first and local_date(now, zone) == date(2015, 11, 30)


@pytest.mark.parametrize(
    ("zone", "start", "billed", "cents"),
    [
        pytest.param("America/Denver", "2023-06-16T05:00:00Z", 4, 400, id="TZ-05"),
        pytest.param("America/Halifax", "2023-06-16T05:00:00Z", 3, 300, id="TZ-06"),
        pytest.param("Europe/Paris", "2023-06-16T20:00:00Z", 3, 300, id="TZ-07"),
    ],
)
def test_tz_first_week(zone: str, start: str, billed: int, cents: int) -> None:
    cycle = Cycle(Interval.WEEK, utc(start), zone, alignment=CALENDAR)
    stub, full = cycle.first(), cycle.containing(utc(start))
    assert (days(stub, zone), days(full, zone)) == (billed, 7)
    assert prorate(Money(700, "EUR"), stub, full, DAY, zone) == Money(cents, "EUR")


def test_tz_10() -> None:
    """The trial ends in the night in which the month begins: the charge is the whole month, which the 1st bills."""
    zone = "Europe/Paris"
    start = utc("2024-03-22T01:12:00Z")
    cycle = Cycle(Interval.MONTH, start, zone, alignment=CALENDAR)
    end = trial_end(start, 10, zone)
    assert end == utc("2024-04-01T00:12:00Z")
    begins = charged_from(end, cycle, DAY)
    april = cycle.containing(utc("2024-04-10"))
    assert begins == april.start and cycle.first(begins) == april
    assert prorate(Money(5_000_000, "EUR"), april, april, DAY, zone) == Money(5_000_000, "EUR")
    assert list(cycle.periods(begins, utc("2024-04-01T13:11Z"))) == [april], "the later run finds nothing new"
