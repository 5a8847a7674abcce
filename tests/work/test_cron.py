"""Cron lines in zones: the two nights when clocks change, and what must hold for every line and zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chom_core.values.errors import Invalid
from chom_core.work.cron import next_after


def runs(cron: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    found = []
    while (start := next_after(cron, zone, start)) < end:
        found.append(start)
    return found


def test_half_past_two_runs_once_on_both_nights() -> None:
    spring = runs(
        "30 2 * * *",
        "Europe/Berlin",
        datetime(2026, 3, 28, 12, tzinfo=UTC),
        datetime(2026, 3, 30, 12, tzinfo=UTC),
    )
    assert spring == [datetime(2026, 3, 29, 1, 0, tzinfo=UTC), datetime(2026, 3, 30, 0, 30, tzinfo=UTC)]
    autumn = runs(
        "30 2 * * *",
        "Europe/Berlin",
        datetime(2026, 10, 24, 12, tzinfo=UTC),
        datetime(2026, 10, 26, 12, tzinfo=UTC),
    )
    assert autumn == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


def test_asked_in_the_doubled_hour_it_does_not_go_back() -> None:
    second_ten_past_two = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    assert next_after("30 2 * * *", "Europe/Berlin", second_ten_past_two) == datetime(
        2026, 10, 26, 1, 30, tzinfo=UTC
    )


def test_hourly_and_by_the_minute_follow_elapsed_time() -> None:
    for day in (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)):
        assert len(runs("15 * * * *", "Europe/Berlin", day, day + timedelta(hours=6))) == 6
        assert (
            len(runs("*/10 * * * *", "Europe/Berlin", day + timedelta(seconds=1), day + timedelta(hours=6)))
            == 35
        )


ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
]
#: Days around which clocks change somewhere in ZONES in 2026.
NIGHTS = [
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in ((3, 8), (3, 29), (4, 4), (10, 3), (10, 25), (11, 1))
]
lines = st.builds("{} {} * * *".format, st.integers(0, 59), st.integers(0, 23)) | st.sampled_from(
    ["*/7 * * * *", "0 * * * *", "30 2 * * 0", "0 0 1 * *", "30 1,2,3 * * *", "0 12 L * *"]
)
instants = st.builds(
    lambda night, minutes: night + timedelta(minutes=minutes),
    st.sampled_from(NIGHTS),
    st.integers(-2880, 2880),
)


@given(lines, st.sampled_from(ZONES), instants, st.floats(0, 1, exclude_max=True))
@settings(max_examples=300, deadline=None)
def test_the_next_time_lies_ahead_and_does_not_depend_on_when_one_asks(
    cron: str, zone: str, instant: datetime, share: float
) -> None:
    due = next_after(cron, zone, instant)
    assert due > instant
    between = min(instant + (due - instant) * share, due - timedelta(microseconds=1))
    assert next_after(cron, zone, between) == due


@given(st.integers(0, 59), st.integers(0, 23), st.sampled_from(ZONES), st.sampled_from(NIGHTS))
@settings(max_examples=200, deadline=None)
def test_a_time_of_day_runs_once_a_day_over_every_night(
    minute: int, hour: int, zone: str, night: datetime
) -> None:
    found = runs(f"{minute} {hour} * * *", zone, night - timedelta(days=3), night + timedelta(days=3))
    assert len(found) in (5, 6, 7)
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert all(timedelta(hours=22, minutes=50) <= gap <= timedelta(hours=25, minutes=10) for gap in gaps)


def test_what_is_wrong_with_a_line_or_a_zone_is_said() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(Invalid, match="«every day» is not a cron line"):
        next_after("every day", "UTC", now)
    with pytest.raises(Invalid, match="«Mars/Olympus» is not a time zone"):
        next_after("0 0 * * *", "Mars/Olympus", now)
    with pytest.raises(Invalid):
        next_after("0 0 30 2 *", "UTC", now)
