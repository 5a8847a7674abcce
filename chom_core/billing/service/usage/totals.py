"""What was used in a period: whole days from their sums, the cut days at its ends from their events, exact to the tick.

Each subject is aggregated on its own, then they are added up. The rules are those of `rules.metering`, which the tests
hold against this file with the raw events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.orm import Session

from chom_core.billing.rules.rounding import decimal, exact
from chom_core.billing.service.usage import metering, spans
from chom_core.database import clock
from chom_core.values.errors import NotFound
from chom_core.values.period import Period


class Use(Struct, frozen=True):
    """How much, by how many events."""

    quantity: Decimal
    events: int


class DayUse(Struct, frozen=True):
    """One day of one subject: for meters that add up `quantity` is the day's sum, else what it stood at in the end."""

    day: date
    subject: UUID
    quantity: Decimal
    events: int
    highest: Decimal


def used(meter: str, period: Period, subject: UUID | None = None) -> Decimal:
    """What the current organisation, or one subject of it, used in the period. NotFound for an unknown meter."""
    by = by_subject(meter, period)
    chosen = by.values() if subject is None else [by[subject]] if subject in by else []
    return added(use.quantity for use in chosen)


def added(quantities: Iterable[Decimal]) -> Decimal:
    """Their sum without loss: Python's own is cut to 28 digits."""
    return decimal(sum((exact(quantity) for quantity in quantities), Fraction(0)))


def by_subject(meter: str, period: Period) -> dict[UUID, Use]:
    """The same for each subject. A mean counts up to now: what is still to come neither raises nor lowers it."""
    return by_meter([meter], [period])[period][meter]


def by_meter(
    meters: Collection[str], periods: Collection[Period]
) -> dict[Period, dict[str, dict[UUID, Use]]]:
    """`by_subject` of several meters in several periods, in one question."""
    asked, now = [], clock.now()
    kinds = {meter: _aggregation(meter) for meter in meters}
    means = {meter: how for meter, how in kinds.items() if how == "time_weighted"}
    others = {meter: how for meter, how in kinds.items() if meter not in means}
    for period in periods:
        so_far = Period(period.start, now) if period.start < now < period.end else period
        asked += [
            (period, spans.Asked(group, one)) for group, one in ((means, so_far), (others, period)) if group
        ]
    spans.ask([one for _period, one in asked])
    found: dict[Period, dict[str, dict[UUID, Use]]] = {period: {} for period in periods}
    for period, one in asked:
        found[period] |= {meter: _uses(meter, one) for meter in one.meters}
    return found


def _uses(meter: str, asked: spans.Asked) -> dict[UUID, Use]:
    how, pieces, opening = asked.meters[meter], asked.pieces[meter], asked.opening[meter]
    if how == "unique":
        keys = spans.keys(meter, asked.period)
        return {subject: Use(keys.get(subject, Decimal(0)), _events(of)) for subject, of in pieces.items()}
    found = {}
    for subject in pieces.keys() | opening.keys():
        own = pieces.get(subject, [])
        found[subject] = Use(_fold(how, own, opening.get(subject), asked.period), _events(own))
    return found


def days(meter: str, period: Period) -> list[DayUse]:
    """Each day of the period, by subject: what a line of an invoice is made of."""
    how = _aggregation(meter)
    asked = spans.Asked({meter: how}, period, levels=False)
    spans.ask([asked])
    by_day = "total" if how in ("sum", "level") else "events" if how in ("count", "unique") else "last_value"
    found = [
        DayUse(
            piece.row.day, subject, Decimal(getattr(piece.row, by_day)), piece.row.events, piece.row.highest
        )
        for subject, pieces in asked.pieces[meter].items()
        for piece in pieces
    ]
    return sorted(found, key=lambda one: (one.day, one.subject))


def _aggregation(meter: str) -> str:
    known = metering.meters().get(meter)
    if known is None:
        raise NotFound(
            _("There is no meter «%(meter)s».", meter=meter[:80]), fix=_("Choose one of the list of meters.")
        )
    return known.aggregation


def _events(pieces: Iterable[spans.Piece]) -> int:
    return sum(piece.row.events for piece in pieces)


def _fold(
    how: str, pieces: Sequence[spans.Piece], opening: tuple[Decimal, Decimal] | None, period: Period
) -> Decimal:
    """The period's quantity of one subject from its pieces, in the order of time."""
    if how == "count":
        return Decimal(_events(pieces))
    if how in ("sum", "level"):
        before = opening[1] if opening and how == "level" else Decimal(0)
        return added([before, *(piece.row.total for piece in pieces)])
    if how == "time_weighted":
        return _mean(pieces, opening[0] if opening else Decimal(0), period)
    if not pieces:
        return Decimal(0)
    return max(piece.row.highest for piece in pieces) if how == "max" else Decimal(pieces[-1].row.last_value)


def _mean(pieces: Sequence[spans.Piece], level: Decimal, period: Period) -> Decimal:
    """What the level was on the average: from each piece's first event its area, until then what stood before it."""
    area, at = Fraction(0), period.start
    for piece in pieces:
        area += exact(level) * _seconds(at, piece.row.first_at) + exact(piece.row.area)
        level, at = piece.row.last_value, piece.end
    area += exact(level) * _seconds(at, period.end)
    return decimal(area / _seconds(period.start, period.end))


def _seconds(start: datetime, end: datetime) -> Fraction:
    return Fraction((end - start) // timedelta(microseconds=1), 1_000_000)


def rounded(use: Use, places: int = 9) -> Use:
    """As it is stored and shown: a mean may have endless decimals."""
    return replace(use, quantity=round(use.quantity, places).normalize() + 0)


_SHEET = """
select tenant_id, meter, sum(events)::bigint as events, sum(total) as total, sum(highest) as highest from (
  select tenant_id, meter, subject, sum(events) as events, sum(total) as total, max(highest) as highest
  from core.usage_day where day >= :first and day < :last group by tenant_id, meter, subject
) by_subject group by tenant_id, meter
"""


class Sum(Struct, frozen=True):
    """One organisation's use of one meter over whole days: `total` added up, `highest` of each subject added up."""

    tenant_id: UUID
    meter: str
    events: int
    total: Decimal
    highest: Decimal


def sheet(here: Session, first: date, last: date) -> list[Sum]:
    """What everyone that `here` sees used from the day `first` until before `last`, from the sums by day alone."""
    given = {"first": first, "last": last}
    return [Sum(*row) for row in here.execute(text(_SHEET), given)]
