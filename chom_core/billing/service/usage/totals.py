# ruff: noqa: S608 (statements are put together from constants)
"""What was used in a period: whole days from their sums, the cut days at its ends from their events, exact to the tick.

Each subject is aggregated on its own, then they are added up. The rules are those of `rules.metering`, which the tests
hold against this file with the raw events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from chom_core.billing.rules.rounding import decimal, exact
from chom_core.billing.service.usage import metering, rollups
from chom_core.database import clock, current, session
from chom_core.values.errors import NotFound
from chom_core.values.period import Period

_DAY = timedelta(days=1)
_CARRIED = ("time_weighted", "level")
_WHOLE = """
select meter, subject, day, events, total, highest, last_value, last_at, first_at, area
from core.usage_day where tenant_id = :tenant and meter = any(cast(:meters as text[])) and day >= :first and day < :last
"""
_BETWEEN = "e.tenant_id = :tenant and e.meter = any(cast(:meters as text[])) and e.at >= :a and e.at < :upper"
_EDGE = f"""
select meter, subject, day, events, total, highest, last_value, last_at, first_at, area
from ({rollups.SUMMARY.format(where=_BETWEEN)}) cut
"""
#: What a subject stood at before a day: its last value, and the sum of all changes.
_BEFORE = """
select meter, subject, null::date as day, 0 as events, sum(total) as total, 0::numeric as highest,
       (array_agg(last_value order by last_at desc, last_id collate "C" desc))[1] as last_value,
       null::timestamptz as last_at, null::timestamptz as first_at, 0::numeric as area
from core.usage_day where tenant_id = :tenant and meter = any(cast(:carried as text[])) and day < :before
group by meter, subject
"""
_WHOLE_DAY, _EDGES, _OPENING_DAYS, _OPENING_EDGE = 0, (1, 2), 3, 4


def _edge(place: int, meters: str = "meters") -> str:
    named = _EDGE.replace(":a ", f":a{place} ").replace(":upper", f":upper{place}")
    return f"select {place} as place, edge.* from ({named.replace(':meters', f':{meters}')}) edge"


#: A period in one question. `place`: 0 a whole day, 1 and 2 the parts of days at its ends; of the meters that carry a
#: level into it, 3 what they stood at before its first day, 4 what that day brought before the period.
_ARMS = (
    f"select 0 as place, whole.* from ({_WHOLE}) whole",
    _edge(1),
    _edge(2),
    f"select 3 as place, before.* from ({_BEFORE}) before",
    _edge(4, "carried"),
)
_KEYS = """
select subject, count(distinct key) as keys from (
  select subject, key from core.usage_key
  where tenant_id = :tenant and meter = :meter and day >= :first and day < :last
  union all
  select subject, key from core.usage_event
  where tenant_id = :tenant and meter = :meter and reason = '' and replaced_by is null
    and ((at >= :a1 and at < :b1) or (at >= :a2 and at < :b2))
) seen group by subject
"""


@dataclass(frozen=True, slots=True)
class Use:
    """How much, by how many events."""

    quantity: Decimal
    events: int


@dataclass(frozen=True, slots=True)
class DayUse:
    """One day of one subject: for meters that add up `quantity` is the day's sum, else what it stood at in the end."""

    day: date
    subject: UUID
    quantity: Decimal
    events: int
    highest: Decimal


@dataclass(slots=True)
class _Piece:
    """A day, or the part of it that a period takes."""

    start: datetime
    end: datetime
    row: Any


Pieces = dict[UUID, list[_Piece]]
#: What each subject stood at just before a period: (last value, sum of all changes).
Opening = dict[UUID, tuple[Decimal, Decimal]]


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
    return by_meter([meter], period)[meter]


def by_meter(meters: Sequence[str], period: Period) -> dict[str, dict[UUID, Use]]:
    """`by_subject` of several meters, in one question for all that count to the same instant."""
    found: dict[str, dict[UUID, Use]] = {}
    same: dict[Period, list[str]] = {}
    for meter in meters:
        so_far = _aggregation(meter) == "time_weighted" and period.start < clock.now() < period.end
        same.setdefault(Period(period.start, clock.now()) if so_far else period, []).append(meter)
    for one, group in same.items():
        pieces, opening = _ask_all(group, one)
        found |= {meter: _uses(meter, one, pieces[meter], opening[meter]) for meter in group}
    return found


def _uses(meter: str, period: Period, pieces: Pieces, opening: Opening) -> dict[UUID, Use]:
    how = _aggregation(meter)
    if how == "unique":
        keys = _keys(meter, period)
        return {subject: Use(keys.get(subject, Decimal(0)), _events(of)) for subject, of in pieces.items()}
    found = {}
    for subject in pieces.keys() | opening.keys():
        own = pieces.get(subject, [])
        found[subject] = Use(_fold(how, own, opening.get(subject), period), _events(own))
    return found


def days(meter: str, period: Period) -> list[DayUse]:
    """Each day of the period, by subject: what a line of an invoice is made of."""
    how = _aggregation(meter)
    by_day = "total" if how in ("sum", "level") else "events" if how in ("count", "unique") else "last_value"
    found = [
        DayUse(
            piece.row.day, subject, Decimal(getattr(piece.row, by_day)), piece.row.events, piece.row.highest
        )
        for subject, pieces in _ask_all([meter], period, levels=False)[0][meter].items()
        for piece in pieces
    ]
    return sorted(found, key=lambda one: (one.day, one.subject))


def _aggregation(meter: str) -> str:
    known = metering.meters().get(meter)
    if known is None:
        raise NotFound(f"There is no meter «{meter[:80]}».", fix="Choose one of the list of meters.")
    return known.aggregation


def _cut(period: Period) -> tuple[datetime, datetime, list[tuple[datetime, datetime]]]:
    """The whole UTC days inside the period, from and until; and the parts of days that it cuts."""
    first = _midnight(period.start)
    first = first if first == period.start else first + _DAY
    last = _midnight(period.end)
    if first > last:
        return first, first, [(period.start, period.end)]
    edges = [(period.start, first), (last, period.end)]
    return first, last, [(a, b) for a, b in edges if a < b]


def _midnight(at: datetime) -> datetime:
    return datetime.combine(at.astimezone(UTC).date(), time(), UTC)


def _ask_all(
    meters: Sequence[str], period: Period, *, levels: bool = True
) -> tuple[dict[str, Pieces], dict[str, Opening]]:
    """The pieces of the period by meter and subject, in the order of time; and, with `levels`, what came before."""
    first, last, edges = _cut(period)
    midnight = _midnight(period.start)
    carried = [meter for meter in meters if levels and _aggregation(meter) in _CARRIED]
    spans = dict(zip(_EDGES, edges, strict=False))
    spans |= {_OPENING_EDGE: (midnight, period.start)} if carried and midnight < period.start else {}
    places = (_WHOLE_DAY, *sorted({*spans, *([_OPENING_DAYS] if carried else ())}))
    given: dict[str, Any] = {
        "tenant": current().tenant_id, "meters": list(meters), "weighted": list(meters), "carried": carried,
        "first": first.date(), "last": last.date(), "before": midnight.date(),
    }  # fmt: skip
    for place, (start, end) in spans.items():
        given |= {f"a{place}": start, f"upper{place}": end}
    pieces: dict[str, Pieces] = {meter: {} for meter in meters}
    opening: dict[str, Opening] = {meter: {} for meter in meters}
    for row in session().execute(_question(places), given).all():
        if row.place == _OPENING_DAYS:
            opening[row.meter][row.subject] = (row.last_value, row.total)
        elif row.place == _OPENING_EDGE:
            before = opening[row.meter].get(row.subject, (0, Decimal(0)))[1]
            opening[row.meter][row.subject] = (row.last_value, before + row.total)
        else:
            start = datetime.combine(row.day, time(), UTC)
            span = spans.get(row.place, (start, start + _DAY))
            pieces[row.meter].setdefault(row.subject, []).append(_Piece(*span, row))
    for of in pieces.values():
        for one in of.values():
            one.sort(key=lambda piece: piece.start)
    return pieces, opening


@lru_cache
def _question(places: tuple[int, ...]) -> TextClause:
    """To read a text for its parameters costs as much as to ask it."""
    return text(" union all ".join(_ARMS[place] for place in places) + " order by place")


def _keys(meter: str, period: Period) -> dict[UUID, Decimal]:
    first, last, edges = _cut(period)
    (a1, b1), (a2, b2) = [*edges, *[(period.start, period.start)] * 2][:2]
    given = {"tenant": current().tenant_id, "meter": meter, "first": first.date(), "last": last.date(),
             "a1": a1, "b1": b1, "a2": a2, "b2": b2}  # fmt: skip
    return {row.subject: Decimal(row.keys) for row in session().execute(text(_KEYS), given)}


def _events(pieces: Iterable[_Piece]) -> int:
    return sum(piece.row.events for piece in pieces)


def _fold(
    how: str, pieces: Sequence[_Piece], opening: tuple[Decimal, Decimal] | None, period: Period
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


def _mean(pieces: Sequence[_Piece], level: Decimal, period: Period) -> Decimal:
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


@dataclass(frozen=True, slots=True)
class Sum:
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
