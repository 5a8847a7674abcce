"""Metering: a period's events made one number. The order in which events arrive changes nothing; an id counts once.

Events are instants with a value. A period takes those from its start up to its end (exclusive); running levels and
time-weighted meters also take what came before, so a late event moves the level of every later period, but no invoice
that is already final.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from chom_core.billing.rules.rounding import decimal, exact
from chom_core.values.period import Period

_TICK = timedelta(microseconds=1)


class Aggregation(StrEnum):
    """How a meter adds up.

    count, sum, max, last, unique (different keys): of the period's events. level: the running sum of all changes up to
    the period's end, carried over periods. time_weighted: the mean value over the period, each value lasting until the
    next event; the last one before the period is carried into it. level_weighted: the same of a running sum.
    """

    COUNT = "count"
    SUM = "sum"
    MAX = "max"
    LAST = "last"
    UNIQUE = "unique"
    LEVEL = "level"
    TIME_WEIGHTED = "time_weighted"
    LEVEL_WEIGHTED = "level_weighted"


class Event(Struct, frozen=True):
    """`id` is its sender's, and counts once. `value`: an amount, a change, or a reading; `key`: what unique counts."""

    id: str
    at: datetime
    value: Decimal = Decimal(1)
    key: str = ""


def aggregate(how: Aggregation, events: Iterable[Event], period: Period) -> Decimal:
    """The period's quantity. Give levels and time-weighted meters earlier events too; later ones are ignored.

    Of two events with one id the earlier is taken (by instant, then value). Nothing used is 0; of readings at the same
    instant the last by id counts.
    """
    known = sorted(_once(events), key=lambda event: (event.at, event.id))
    known = [event for event in known if event.at < period.end]
    if how is Aggregation.LEVEL:
        return decimal(_sum(known))
    if how is Aggregation.TIME_WEIGHTED:
        return _mean(known, period)
    if how is Aggregation.LEVEL_WEIGHTED:
        return _mean(_levels(known), period)
    inside = [event for event in known if event.at >= period.start]
    if how is Aggregation.COUNT:
        return Decimal(len(inside))
    if how is Aggregation.UNIQUE:
        return Decimal(len({event.key for event in inside}))
    if how is Aggregation.SUM:
        return decimal(_sum(inside))
    if not inside:
        return Decimal(0)
    return max(event.value for event in inside) if how is Aggregation.MAX else inside[-1].value


def _once(events: Iterable[Event]) -> list[Event]:
    found: dict[str, Event] = {}
    for event in events:
        exact(event.value)
        had = found.setdefault(event.id, event)
        if (event.at, event.value, event.key) < (had.at, had.value, had.key):
            found[event.id] = event
    return list(found.values())


def _sum(events: Sequence[Event]) -> Fraction:
    return sum((exact(event.value) for event in events), Fraction(0))


def _levels(changes: Sequence[Event]) -> list[Event]:
    level, made = Fraction(0), []
    for event in changes:
        level += exact(event.value)
        made.append(Event(event.id, event.at, decimal(level)))
    return made


def _mean(readings: Sequence[Event], period: Period) -> Decimal:
    area, value, at = Fraction(0), Fraction(0), period.start
    for event in readings:
        now = max(event.at, period.start)
        area += value * ((now - at) // _TICK)
        value, at = exact(event.value), now
    area += value * ((period.end - at) // _TICK)
    return decimal(area / ((period.end - period.start) // _TICK))
