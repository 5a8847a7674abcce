# ruff: noqa: S608 (statements are put together from constants)
"""What `totals` adds up, from the database: spans of whole days, of the days that they cut, and what stood before them.

Any number of periods and meters is one question: an invoice rates a month and looks back at two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chom_core.billing.service.usage import rollups
from chom_core.database import current, session
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


@dataclass(slots=True)
class Piece:
    """A day, or the part of it that a period takes."""

    start: datetime
    end: datetime
    row: Any


@dataclass(slots=True)
class Asked:
    """Meters, with how each aggregates, over a period; and by each of them and subject: the pieces of the period in
    the order of time, and with `levels` what those that carry one stood at just before it (last value, sum of all).
    """

    meters: Mapping[str, str]
    period: Period
    levels: bool = True
    pieces: dict[str, dict[UUID, list[Piece]]] = field(default_factory=lambda: defaultdict(dict))
    opening: dict[str, dict[UUID, tuple[Decimal, Decimal]]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def carried(self) -> list[str]:
        return [meter for meter, how in self.meters.items() if self.levels and how in _CARRIED]


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


def ask(asked: Sequence[Asked]) -> None:
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


def _take(row: Any, one: Asked, kind: int, spans: Mapping[int, tuple[Any, ...]]) -> None:
    if kind == _STOOD:
        one.opening[row.meter][row.subject] = (row.last_value, row.total)
    elif kind == _SINCE:
        before = one.opening[row.meter].get(row.subject, (0, Decimal(0)))[1]
        one.opening[row.meter][row.subject] = (row.last_value, before + row.total)
    else:
        midnight = datetime.combine(row.day, time(), UTC)
        start, end = (midnight, midnight + _DAY) if kind == _WHOLE else spans[row.place]
        one.pieces[row.meter].setdefault(row.subject, []).append(Piece(start, end, row))


def _arrays(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """Rows as the arrays that `unnest` makes them of again."""
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def keys(meter: str, period: Period) -> dict[UUID, Decimal]:
    """How many different keys each subject sent."""
    first, last, edges = _cut(period)
    (a1, b1), (a2, b2) = [*edges, *[(period.start, period.start)] * 2][:2]
    given = {"tenant": current().tenant_id, "meter": meter, "first": first.date(), "last": last.date(),
             "a1": a1, "b1": b1, "a2": a2, "b2": b2}  # fmt: skip
    return {row.subject: Decimal(row.keys) for row in session().execute(text(_KEYS), given)}
