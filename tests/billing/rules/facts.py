"""How the cases write their facts: instants, periods and money."""

from __future__ import annotations

from datetime import datetime

from chom_core.values.money import Money
from chom_core.values.period import Period


def utc(text: str) -> datetime:
    """A day is its midnight."""
    return datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00Z")


def span(start: str, end: str) -> Period:
    return Period(utc(start), utc(end))


def usd(major: str) -> Money:
    return Money.of(major, "USD")


def eur(cents: int) -> Money:
    return Money(cents, "EUR")
