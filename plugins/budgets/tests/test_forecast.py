"""The estimate, as a pure function."""

from __future__ import annotations

from datetime import date

import pytest
from chom_budgets.forecast import forecast

from chom_sdk import Money

START, END = date(2026, 11, 1), date(2026, 12, 1)


def usd(major: str) -> Money:
    return Money.of(major, "USD")


@pytest.mark.parametrize(
    ("spent", "metered", "coming", "total", "crossing"),
    [
        ("40.00", "40.00", [], "120.00", date(2026, 11, 25)),  # 4 a day from the 10th: 100 on the 25th
        ("40.00", "0.00", [], "40.00", None),  # things bought once do not go on
        ("40.00", "10.00", [(date(2026, 11, 20), "70.00")], "130.00", date(2026, 11, 20)),
        ("40.00", "10.00", [(date(2026, 12, 1), "70.00")], "60.00", None),  # next month's is next month's
        ("100.00", "40.00", [], "180.00", None),  # reached already: there is no day to come
    ],
)
def test_a_straight_line(
    spent: str, metered: str, coming: list[tuple[date, str]], total: str, crossing: date | None
) -> None:
    found = forecast(
        usd(spent), usd("100.00"), usd(metered), [(day, usd(money)) for day, money in coming], START,
        date(2026, 11, 10), END,
    )  # fmt: skip
    assert (found.total, found.crossing, found.days) == (usd(total), crossing, 10)


def test_the_last_day_has_nothing_ahead() -> None:
    found = forecast(usd("90.00"), usd("100.00"), usd("90.00"), [], START, date(2026, 11, 30), END)
    assert (found.total, found.crossing) == (usd("90.00"), None)
