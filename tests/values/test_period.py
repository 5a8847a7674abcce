"""Periods: they tile from the anchor, never drift, and know what the clocks do in spring and autumn."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chom_core.billing.rules.cycles import Cycle
from chom_core.values import BillingPeriod, Money, Period

#: Whole and half hours of summer time, changes at midnight, south and north, a day that never was, none at all.
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "America/Sao_Paulo", "Asia/Beirut",
    "Africa/Cairo", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Tokyo",
]  # fmt: skip
ZONE = st.sampled_from(ZONES)
EVERY = st.sampled_from(BillingPeriod)
#: Any instant, and often a local time from midnight to three: there the clocks change.
FIRST, LAST = datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2035-12-31")
ANCHORS = st.datetimes(FIRST, LAST, timezones=st.just(UTC)) | st.builds(
    lambda day, hour, zone: (FIRST + timedelta(days=day, hours=hour)).replace(tzinfo=ZoneInfo(zone)),
    st.integers(0, 13000),
    st.integers(0, 3),
    ZONE,
)


def boundary(anchor: datetime, months: int, zone: str = "UTC") -> datetime:
    """Counted another way than the product does: so many months after `anchor`, at the same local time.

    Where the month is shorter than the anchor's day, its last day is meant. A local time that the spring change
    skips is moved forward by the change; one that happens twice is the first, except for the anchor itself.
    """
    if anchor.tzinfo is None:
        raise ValueError("an anchor is an aware instant")
    if not months:
        return anchor.astimezone(UTC)
    tz = ZoneInfo(zone)
    local = anchor.astimezone(tz)
    index = local.year * 12 + local.month - 1 + months
    year, month = divmod(index, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day, fold=0).astimezone(UTC)


def period_at(anchor: datetime, every: BillingPeriod, instant: datetime, zone: str = "UTC") -> Period:
    """The period that a subscription anchored there is billed for at an instant."""
    return Cycle.of(every, anchor, zone).containing(instant)


def wall(text: str, zone: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which clocks of `zone` show `local`; where none does, as if they had not been changed."""
    near = [local.replace(tzinfo=UTC) + timedelta(hours=hours) for hours in range(-26, 27)]
    offsets = [offset for at in near if (offset := at.astimezone(zone).utcoffset()) is not None]
    tries = sorted((local - offset).replace(tzinfo=UTC) for offset in set(offsets))
    shown = [at for at in tries if at.astimezone(zone).replace(tzinfo=None) == local]
    return shown[0] if shown else (local - offsets[0]).replace(tzinfo=UTC)


@given(ANCHORS, st.integers(1, 300), ZONE)
@example(wall("2018-10-04T00:00", "America/Sao_Paulo"), 1, "America/Sao_Paulo")
@example(wall("2011-11-30T10:00", "Pacific/Apia"), 1, "Pacific/Apia")
@example(wall("2026-02-28T02:30", "Europe/Berlin"), 1, "Europe/Berlin")
@example(wall("2026-10-25T02:30", "Europe/Berlin", fold=1), 132, "Europe/Berlin")  # twice there too
def test_a_boundary_is_the_anchors_wall_clock_months_later(anchor: datetime, months: int, zone: str) -> None:
    local = anchor.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    years, month = divmod(local.month - 1 + months, 12)
    year = local.year + years
    target = local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))
    found = boundary(anchor, months, zone)
    assert found == instant_of(target, ZoneInfo(zone))
    assert found.tzinfo is UTC


@given(ANCHORS, EVERY, ZONE)
@example(wall("2026-10-25T02:30", "Europe/Berlin", fold=1), BillingPeriod.MONTHLY, "Europe/Berlin")
@example(wall("2024-01-31T00:00", "Asia/Beirut"), BillingPeriod.MONTHLY, "Asia/Beirut")
def test_periods_tile_from_the_anchor(anchor: datetime, every: BillingPeriod, zone: str) -> None:
    """Walking from end to end, as renewal does, and counting from the anchor come to the same."""
    counted = [boundary(anchor, n * every.months, zone) for n in range(15)]
    assert counted[0] == anchor.astimezone(UTC)
    at, walked = anchor, []
    for _ in range(14):
        period = period_at(anchor, every, at, zone)
        walked.append(period)
        at = period.end
    assert walked == [Period(start, end) for start, end in pairwise(counted)]


@given(ANCHORS, EVERY, ZONE, st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_every_instant_has_the_one_period_that_holds_it(
    anchor: datetime, every: BillingPeriod, zone: str, after: timedelta
) -> None:
    instant = anchor.astimezone(UTC) + after
    period = period_at(anchor, every, instant, zone)
    assert period.start <= instant < period.end
    assert instant in period
    tick = timedelta(microseconds=1)
    for same in (period.start, period.end - tick):
        assert period_at(anchor, every, same, zone) == period
    assert period.end not in period and period.start - tick not in period
    assert period_at(anchor, every, period.end, zone).start == period.end
    assert (
        period_at(anchor.astimezone(ZoneInfo(zone)), every, instant.astimezone(ZoneInfo(zone)), zone)
        == period
    )


def test_the_31st_comes_back_after_each_short_month() -> None:
    days = [f"{boundary(wall('2023-10-31', 'UTC'), n):%y-%m-%d}" for n in range(1, 18)]
    assert days == [
        "23-11-30", "23-12-31", "24-01-31", "24-02-29", "24-03-31", "24-04-30", "24-05-31", "24-06-30", "24-07-31",
        "24-08-31", "24-09-30", "24-10-31", "24-11-30", "24-12-31", "25-01-31", "25-02-28", "25-03-31",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("anchor", "every", "starts"),
    [
        ("2024-02-29", BillingPeriod.ANNUAL, ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("2024-02-29", BillingPeriod.BIENNIAL, ["2026-02-28", "2028-02-29", "2030-02-28"]),
        ("2096-02-29", BillingPeriod.BIENNIAL, ["2098-02-28", "2100-02-28", "2102-02-28", "2104-02-29"]),
        ("2023-11-30", BillingPeriod.QUARTERLY, ["2024-02-29", "2024-05-30", "2024-08-30", "2024-11-30"]),
    ],
)
def test_leap_years(anchor: str, every: BillingPeriod, starts: list[str]) -> None:
    found = [boundary(wall(anchor, "UTC"), n * every.months) for n in range(1, len(starts) + 1)]
    assert found == [wall(start, "UTC") for start in starts]


@pytest.mark.parametrize(
    ("zone", "anchor", "months", "utc"),
    [
        # spring: skipped, so forward by the change
        ("Europe/Berlin", "2026-02-28T02:30", 1, "2026-03-28T01:30"),
        ("Europe/Berlin", "2026-01-29T02:30", 2, "2026-03-29T01:30"),
        ("America/New_York", "2026-02-08T02:30", 1, "2026-03-08T07:30"),
        ("Australia/Lord_Howe", "2026-09-04T02:15", 1, "2026-10-03T15:45"),
        ("America/Sao_Paulo", "2018-10-04T00:00", 1, "2018-11-04T03:00"),
        ("Asia/Beirut", "2024-01-31T00:00", 2, "2024-03-30T22:00"),
        ("Pacific/Apia", "2011-11-30T10:00", 1, "2011-12-30T20:00"),
        # autumn: twice, so the first
        ("Europe/Berlin", "2026-09-25T02:30", 1, "2026-10-25T00:30"),
        ("America/New_York", "2026-10-01T01:30", 1, "2026-11-01T05:30"),
        ("Australia/Lord_Howe", "2026-03-05T01:45", 1, "2026-04-04T14:45"),
        ("America/Sao_Paulo", "2018-01-17T23:30", 1, "2018-02-18T01:30"),
    ],
)
def test_where_the_clocks_change(zone: str, anchor: str, months: int, utc: str) -> None:
    assert boundary(wall(anchor, zone), months, zone) == wall(utc, "UTC")


def test_the_later_instant_is_later_though_its_clock_shows_less() -> None:
    anchor, instant = (
        wall("2026-10-25T02:45", "Europe/Berlin"),
        wall("2026-10-25T02:15", "Europe/Berlin", fold=1),
    )
    period = period_at(anchor, BillingPeriod.MONTHLY, instant, "Europe/Berlin")
    assert period.start == wall("2026-10-25T00:45", "UTC")


def test_who_begins_in_the_hour_that_comes_twice_begins_then() -> None:
    second = wall("2026-10-25T02:30", "Europe/Berlin", fold=1)
    period = period_at(second, BillingPeriod.MONTHLY, second, "Europe/Berlin")
    assert period == Period(wall("2026-10-25T01:30", "UTC"), wall("2026-11-25T01:30", "UTC"))


@given(st.integers(2000, 2035), st.integers(1, 12), ZONE)
@example(2026, 3, "Europe/Berlin")
@example(2026, 10, "Europe/Berlin")
@example(2011, 12, "Pacific/Apia")
def test_a_month_has_its_local_days_and_the_seconds_that_passed(year: int, month: int, zone: str) -> None:
    tz = ZoneInfo(zone)
    anchor = datetime(year, month, 1, 12, tzinfo=tz)
    period = period_at(anchor, BillingPeriod.MONTHLY, anchor, zone)
    first, last = period.start.astimezone(tz), period.end.astimezone(tz)
    days = monthrange(year, month)[1]
    assert (last.date() - first.date()).days == days
    offsets = first.utcoffset(), last.utcoffset()
    assert offsets[0] is not None and offsets[1] is not None
    assert period.seconds == days * 86400 - (offsets[1] - offsets[0]).total_seconds()
    assert Period(first, last) == period and Period(first, last).seconds == period.seconds


def test_the_length_of_days_on_which_clocks_change() -> None:
    def hours(start: str, end: str, zone: str) -> float:
        return Period(wall(start, zone), wall(end, zone)).seconds / 3600

    assert hours("2026-03-29", "2026-03-30", "Europe/Berlin") == 23
    assert hours("2026-10-25", "2026-10-26", "Europe/Berlin") == 25
    assert hours("2026-10-04", "2026-10-05", "Australia/Lord_Howe") == 23.5
    assert hours("2011-12-29", "2011-12-31", "Pacific/Apia") == 24


@given(ANCHORS, EVERY, ZONE, st.lists(st.integers(1, 10**9), max_size=6), st.integers(0, 10**9))
def test_parts_of_a_period_are_all_of_it(
    anchor: datetime, every: BillingPeriod, zone: str, cuts: list[int], price: int
) -> None:
    """A change of plan cuts a period: the shares by seconds sum to one, and the money to the price."""
    whole = period_at(anchor.replace(microsecond=0), every, anchor, zone)
    inner = {whole.start + timedelta(seconds=cut % whole.seconds) for cut in cuts}
    marks = sorted({whole.start, whole.end} | inner)
    parts = [Period(start, end) for start, end in pairwise(marks)]
    assert sum(Fraction(part.seconds, whole.seconds) for part in parts) == 1
    shares = Money(price, "EUR").allocate([part.seconds for part in parts])
    assert sum(shares, Money.zero("EUR")) == Money(price, "EUR")
    for mark in marks[:-1]:
        assert sum(mark in part for part in parts) == 1


def test_instants_are_aware_and_a_period_has_a_length() -> None:
    naive, aware = FIRST, FIRST.replace(tzinfo=UTC)
    later = aware + timedelta(days=1)
    for start, end in (
        (naive, later),
        (aware, naive),
        (naive, naive + timedelta(days=1)),
        (aware, aware),
        (later, aware),
    ):
        with pytest.raises(ValueError, match="period"):
            Period(start, end)
    first, second = (wall("2026-10-25T02:30", "Europe/Berlin", fold=fold) for fold in (0, 1))
    assert Period(first, second).seconds == 3600
    with pytest.raises(ValueError, match="aware"):
        boundary(naive, 1)
    for anchor, instant in ((naive, naive), (naive, aware), (aware, naive)):
        with pytest.raises(ValueError, match="aware"):
            period_at(anchor, BillingPeriod.MONTHLY, instant)
