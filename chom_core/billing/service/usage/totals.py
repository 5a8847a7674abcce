# ruff: noqa: S608 (statements are put together from constants)
"""What was used in a period: whole days from their sums, the cut days at its ends from their events, exact to the tick.

Each subject is aggregated on its own, then they are added up. The rules are those of `rules.metering`, which the tests
hold against this file with the raw events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from chom_core.billing.rules.rounding import decimal, exact
from chom_core.billing.service.usage import metering, rollups
from chom_core.database import clock, current, session
from chom_core.values.errors import NotFound
from chom_core.values.period import Period

_DAY = timedelta(days=1)
_CARRIED = ("time_weighted", "level")
#: What a row of the answer is, for each thing that is asked: what stood before the period's first day, what that day
#: brought until the period, a whole day, the part of a day at its beginning and (the next) at its end.
_STOOD, _SINCE, _WHOLE, _CUT, _KINDS = 0, 1, 2, 3, 5
_COLUMNS = "meter, subject, day, events, total, highest, last_value, last_at, first_at, area"
_MINE = "tenant_id = :tenant and meter = any(string_to_array(span.meters, ','))"
_EDGE = rollups.SUMMARY.replace(":upper", "span.upper").format(
    where=f"e.{_MINE.replace('meter =', 'e.meter =')} and e.at >= span.a and e.at < span.upper"
)
#: Any number of spans in one question, each of its own meters: whole days, parts of days, and what each subject stood
#: at before a day (its last value, and the sum of all changes).
_QUESTION = text(f"""
select span.place, {_COLUMNS}
from unnest(cast(:days as int[]), cast(:days_of as text[]), cast(:firsts as date[]), cast(:lasts as date[]))
  as span(place, meters, first, last)
join core.usage_day on {_MINE} and day >= span.first and day < span.last
union all
select span.place, {_COLUMNS}
from unnest(cast(:edges as int[]), cast(:edges_of as text[]), cast(:starts as timestamptz[]),
  cast(:ends as timestamptz[])) as span(place, meters, a, upper), lateral ({_EDGE}) cut
union all
select span.place, meter, subject, null, 0, total, 0, last_value, null, null, 0
from unnest(cast(:levels as int[]), cast(:levels_of as text[]), cast(:befores as date[]))
  as span(place, meters, before), lateral (
  select meter, subject, sum(total) as total,
         (array_agg(last_value order by last_at desc, last_id collate "C" desc))[1] as last_value
  from core.usage_day where {_MINE} and day < span.before group by meter, subject) stood
order by place
""")
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


@dataclass(slots=True)
class _Asked:
    """Meters, with how each aggregates, over a period; and by each of them and subject: the pieces of the period in
    the order of time, and with `levels` what those that carry one stood at just before it (last value, sum of all).
    """

    meters: Mapping[str, str]
    period: Period
    levels: bool = True
    pieces: dict[str, dict[UUID, list[_Piece]]] = field(default_factory=lambda: defaultdict(dict))
    opening: dict[str, dict[UUID, tuple[Decimal, Decimal]]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def carried(self) -> list[str]:
        return [meter for meter, how in self.meters.items() if self.levels and how in _CARRIED]


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
        asked += [(period, _Asked(group, one)) for group, one in ((means, so_far), (others, period)) if group]
    _ask([one for _period, one in asked])
    found: dict[Period, dict[str, dict[UUID, Use]]] = {period: {} for period in periods}
    for period, one in asked:
        found[period] |= {meter: _uses(meter, one) for meter in one.meters}
    return found


def _uses(meter: str, asked: _Asked) -> dict[UUID, Use]:
    how, pieces, opening = asked.meters[meter], asked.pieces[meter], asked.opening[meter]
    if how == "unique":
        keys = _keys(meter, asked.period)
        return {subject: Use(keys.get(subject, Decimal(0)), _events(of)) for subject, of in pieces.items()}
    found = {}
    for subject in pieces.keys() | opening.keys():
        own = pieces.get(subject, [])
        found[subject] = Use(_fold(how, own, opening.get(subject), asked.period), _events(own))
    return found


def days(meter: str, period: Period) -> list[DayUse]:
    """Each day of the period, by subject: what a line of an invoice is made of."""
    how = _aggregation(meter)
    asked = _Asked({meter: how}, period, levels=False)
    _ask([asked])
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


def _ask(asked: Sequence[_Asked]) -> None:
    """Fill in what is asked, all of it in one question."""
    days, edges, levels = [], [], []
    for number, one in enumerate(asked):
        place, meters, carried = number * _KINDS, ",".join(one.meters), ",".join(one.carried)
        first, last, cut = _cut(one.period)
        midnight = _midnight(one.period.start)
        days.append((place + _WHOLE, meters, first.date(), last.date()))
        edges += [(place + _CUT + end, meters, *span) for end, span in enumerate(cut)]
        if carried:
            levels.append((place + _STOOD, carried, midnight.date()))
            edges.append((place + _SINCE, carried, midnight, one.period.start))
    given = {"tenant": current().tenant_id, "weighted": [meter for one in asked for meter in one.meters]}
    given |= _arrays(("days", "days_of", "firsts", "lasts"), days)
    given |= _arrays(("edges", "edges_of", "starts", "ends"), edges)
    given |= _arrays(("levels", "levels_of", "befores"), levels)
    spans = {row[0]: row[2:] for row in edges}
    for row in session().execute(_QUESTION, given):
        _take(row, asked[row.place // _KINDS], row.place % _KINDS, spans)
    for one in asked:
        for pieces in (pieces for by in one.pieces.values() for pieces in by.values()):
            pieces.sort(key=lambda piece: piece.start)


def _take(row: Any, one: _Asked, kind: int, spans: Mapping[int, tuple[Any, ...]]) -> None:
    if kind == _STOOD:
        one.opening[row.meter][row.subject] = (row.last_value, row.total)
    elif kind == _SINCE:
        before = one.opening[row.meter].get(row.subject, (0, Decimal(0)))[1]
        one.opening[row.meter][row.subject] = (row.last_value, before + row.total)
    else:
        midnight = datetime.combine(row.day, time(), UTC)
        start, end = (midnight, midnight + _DAY) if kind == _WHOLE else spans[row.place]
        one.pieces[row.meter].setdefault(row.subject, []).append(_Piece(start, end, row))


def _arrays(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """Rows as the arrays that `unnest` makes them of again."""
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


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
