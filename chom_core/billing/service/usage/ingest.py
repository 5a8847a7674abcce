"""Recording usage: one statement inserts the events and adds them to their days, once for ever per id.

What is malformed refuses the whole batch and nothing is written. What is well formed but has nothing to count towards
(an unknown meter, no subscription, a time outside the window) is kept with its reason, shown, and may match later.
"""

# ruff: noqa: S608 (statements are put together from constants of this file)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

import msgspec
from flask_babel import gettext as _
from msgspec import Struct, field
from sqlalchemy import text

from chom_core.billing.models.usage import ORGANISATION
from chom_core.billing.service.usage import events as usage_events
from chom_core.billing.service.usage import metering, rollups
from chom_core.database import clock, current, session
from chom_core.values.errors import Conflict, Invalid
from chom_core.values.ids import uuid7

MOST = 100
#: How far from now an event may lie, in business time, to be counted: Stripe's limits for meter events.
BACK, AHEAD = timedelta(days=35), timedelta(minutes=5)


class EventLike(Protocol):
    """What a sender says of an event; `NewEvent` and the API's own shape are such."""

    @property
    def id(self) -> str: ...
    @property
    def meter(self) -> str: ...
    @property
    def value(self) -> Decimal: ...
    @property
    def at(self) -> datetime | None: ...
    @property
    def subject(self) -> UUID | None: ...
    @property
    def key(self) -> str: ...
    @property
    def properties(self) -> Mapping[str, Any]: ...


class NewEvent(Struct, frozen=True):
    """Use of a meter at an instant (None: now), by a service (None: the organisation itself).

    `id` is the sender's and counts once for ever. `key` is what a unique meter counts, such as a visitor.
    """

    id: str
    meter: str
    value: Decimal = Decimal(1)
    at: datetime | None = None
    subject: UUID | None = None
    key: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)


class Unmatched(Struct, frozen=True):
    """The event at `index` was received and is kept, but does not count."""

    index: int
    reason: str


class Recorded(Struct, frozen=True):
    """What became of a batch: how many events count now, and the places of those that do not."""

    accepted: int
    duplicates: tuple[int, ...] = ()
    unmatched: tuple[Unmatched, ...] = ()


#: When the organisation had a subscription that was paid for.
_SPAN = """
select coalesce(started_at, created_at) as begun, coalesce(ended_at, 'infinity') as ended
from core.subscription where tenant_id = :tenant and status <> 'incomplete'
"""
# The events come as one JSON text: as nine arrays they took psycopg longer than all the rest of the request. Where one
# of them uses a known id for other facts, none is inserted.
_INGEST = text(f"""
with span as materialized ({_SPAN}), given as materialized (
  select id, event_id, meter, coalesce(subject, '{ORGANISATION}') as subject, coalesce(at, :now) as at, value,
         coalesce(key, '') as key, coalesce(properties, '{{}}') as properties, coalesce(reason, '') as reason,
         at is not null as timed
  from json_to_recordset(cast(:events as json)) as g(id uuid, event_id text, meter text, subject uuid,
       at timestamptz, value numeric, key text, properties jsonb, reason text)
), added as (
  insert into core.usage_event
    (id, created_at, tenant_id, event_id, meter, subject, at, value, key, properties, reason)
  select id, :now, :tenant, event_id, meter, subject, at, value, key, properties,
         case when reason <> '' then reason
              when exists (select from span where begun <= at and at < ended) then ''
              else 'no_subscription' end
  from given where not exists (
    select from given g join core.usage_event e on e.tenant_id = :tenant and e.event_id = g.event_id
    where (e.meter, e.subject, e.value, e.key) <> (g.meter, g.subject, g.value, g.key)
       or (g.timed and e.at <> g.at))
  order by event_id
  on conflict (tenant_id, event_id) do nothing
  returning event_id, meter, subject, at, value, key, reason
), counted as (
  select *, (at at time zone 'UTC')::date as day from added where reason = ''
), summed as (
  insert into core.usage_day as d (id, created_at, tenant_id, meter, subject, day,
    events, total, highest, last_value, last_at, last_id, first_at, area)
  select gen_random_uuid(), :now, :tenant, meter, subject, day, count(*), sum(value), max(value),
         (array_agg(value order by at desc, event_id collate "C" desc))[1], max(at),
         (array_agg(event_id order by at desc, event_id collate "C" desc))[1], min(at), 0
  from counted where meter <> all(cast(:weighted as text[]))
  group by meter, subject, day order by meter, subject, day
  on conflict (tenant_id, meter, subject, day) do update set
    events = d.events + excluded.events, total = d.total + excluded.total,
    highest = greatest(d.highest, excluded.highest), first_at = least(d.first_at, excluded.first_at),
    last_value = case when (excluded.last_at, excluded.last_id collate "C") > (d.last_at, d.last_id)
                      then excluded.last_value else d.last_value end,
    last_id = case when (excluded.last_at, excluded.last_id collate "C") > (d.last_at, d.last_id)
                   then excluded.last_id else d.last_id end,
    last_at = greatest(d.last_at, excluded.last_at)
), keyed as (
  insert into core.usage_key (id, created_at, tenant_id, meter, subject, day, key)
  select distinct on (meter, subject, day, key) gen_random_uuid(), cast(:now as timestamptz), cast(:tenant as uuid),
         meter, subject, day, key
  from counted where key <> '' order by meter, subject, day, key
  on conflict do nothing
)
select count(*), count(*) filter (where reason <> '') from added
""")
_SUBSCRIBED = text(f"select exists (select from ({_SPAN}) span where begun <= :at and :at < ended)")
_BEFORE = text(
    "select id, event_id, meter, subject, at, value, key, reason from core.usage_event"
    " where tenant_id = :tenant and event_id = any(:event_ids)"
)


def record(event: EventLike) -> Recorded:
    """One event; as `record_batch`, with fields that name no place."""
    try:
        return record_batch((event,))
    except (Invalid, Conflict) as error:
        error.fields = {name.removeprefix("events.0."): words for name, words in error.fields.items()}
        raise


def record_batch(events: Sequence[EventLike]) -> Recorded:
    """Up to 100 events, all or none. An id that was recorded before, or twice here, is a duplicate and counts once.

    Raises Invalid with a field for each fault (`events.3.value`), NotFound where a subject is not the organisation's,
    Conflict where an id was used for another event; then nothing is written.
    """
    if not events:
        raise Invalid(
            _("There are no events."), fix=_("Send one to a hundred events."), fields={"events": [_("None.")]}
        )
    if len(events) > MOST:
        raise Invalid(
            _("There are %(count)s events, which is too many.", count=len(events)),
            fix=_("Send up to %(most)s at a time.", most=MOST),
            fields={"events": [_("At most %(most)s.", most=MOST)]},
        )
    now = clock.now()
    return _write(events, usage_events.reasons(events, now, BACK, AHEAD), now)


def subscribed_at(at: datetime) -> bool:
    """Did the current organisation have a subscription at that instant?"""
    return bool(session().scalar(_SUBSCRIBED, {"tenant": current().tenant_id, "at": at}))


def _write(events: Sequence[EventLike], reasons: Sequence[str], now: datetime) -> Recorded:
    first = _first_places(events)
    ids = {event_id: uuid7() for event_id in first}
    weighted = metering.of_kind("time_weighted")
    given = {
        "tenant": current().tenant_id,
        "now": now,
        "weighted": weighted,
        "events": msgspec.json.encode(
            [_row(ids[event_id], events[place], reasons[place]) for event_id, place in first.items()]
        ).decode(),
    }
    added, unmatched = session().execute(_INGEST, given).one()
    levels = _days_of([events[place] for place in first.values()], now, weighted) if added else ()
    if levels:
        rollups.refresh(levels)
    if added == len(events) and not unmatched:
        return Recorded(added)
    return _explain(events, ids, added - unmatched)


def _first_places(events: Sequence[EventLike]) -> dict[str, int]:
    """Where each id stands first. Conflict where it stands again with other facts."""
    first: dict[str, int] = {}
    other = {}
    for place, event in enumerate(events):
        known = events[first.setdefault(event.id, place)]
        if known is not event and _facts(known) != _facts(event):
            other[f"events.{place}.id"] = [_("This id was used for another event.")]
    if other:
        raise _conflict(other)
    return first


def _facts(event: EventLike) -> tuple[Any, ...]:
    return (event.meter, event.subject or ORGANISATION, event.value, event.key, event.at)


def _row(row_id: UUID, event: EventLike, reason: str) -> dict[str, Any]:
    """What the statement is told; what is left out is the organisation, now, and nothing."""
    row: dict[str, Any] = {"id": row_id, "event_id": event.id, "meter": event.meter, "value": event.value}
    if event.at is not None:
        row["at"] = event.at
    if event.subject is not None:
        row["subject"] = event.subject
    if event.key:
        row["key"] = event.key
    if event.properties:
        row["properties"] = event.properties
    if reason:
        row["reason"] = reason
    return row


def _days_of(
    events: Sequence[EventLike], now: datetime, weighted: Sequence[str]
) -> set[tuple[str, UUID, date]]:
    """The days of levels: how long each held changes with its neighbours, so these days are counted anew."""
    return {
        (event.meter, event.subject or ORGANISATION, (event.at or now).astimezone(UTC).date())
        for event in events
        if event.meter in weighted
    }


def _explain(events: Sequence[EventLike], mine: Mapping[str, UUID], accepted: int) -> Recorded:
    """Which were there before or came twice, and which do not count. Conflict where one id means two events."""
    query = {"tenant": current().tenant_id, "event_ids": list(mine)}
    kept = {row.event_id: row for row in session().execute(_BEFORE, query)}
    duplicates, unmatched, other = [], [], {}
    seen: set[str] = set()
    for place, event in enumerate(events):
        row = kept.get(event.id)
        if row is None:  # nothing was inserted, because of another one
            continue
        if row.id != mine[event.id] or event.id in seen:
            duplicates.append(place)
            if not usage_events.same(event, row, timed=event.at is not None):
                other[f"events.{place}.id"] = [_("This id was used for another event.")]
        elif row.reason:
            unmatched.append(Unmatched(place, row.reason))
        seen.add(event.id)
    if other:
        raise _conflict(other)
    return Recorded(accepted, tuple(duplicates), tuple(unmatched))


def _conflict(fields: Mapping[str, list[str]]) -> Conflict:
    return Conflict(
        _("An id was used for another event."),
        fix=_("Give each event its own id; to change one that was sent, correct it. Nothing was written."),
        fields=fields,
    )
