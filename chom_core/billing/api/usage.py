"""Usage over the API: events in, what they come to out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec

from chom_core.billing import reads
from chom_core.billing.api.base import api
from chom_core.billing.schemas import usage as schemas
from chom_core.billing.service import usage
from chom_core.database import clock

READ, WRITE = "usage:read", "usage:write"
_NONE: Mapping[str, Any] = {}


class _Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fast way in; `NewEventSchema` says the same, and what is wrong."""

    id: str
    meter: str
    value: Decimal = Decimal(1)
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    subject: UUID | None = None
    key: str = ""
    properties: Mapping[str, Any] = _NONE


class _Events(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    events: list[_Event]


@api.post(
    "/usage/events",
    access="member",
    scope=WRITE,
    into=schemas.NewEventSchema,
    shape=_Event,
    out=schemas.RecordedSchema,
)
def record_event(event: _Event) -> Any:
    """Record one event. Its `id` counts once for ever: send it again as often as you like."""
    return usage.record(event)


@api.post(
    "/usage/events/batch",
    access="member",
    scope=WRITE,
    into=schemas.NewEventsSchema,
    shape=_Events,
    out=schemas.RecordedSchema,
)
def record_events(body: _Events) -> Any:
    """Record up to 100 events, all or none. Ids that are known, or come twice, count once and are reported."""
    return usage.record_batch(body.events)


@api.post(
    "/usage/events/<event_id>/corrections",
    access="member",
    scope=WRITE,
    into=schemas.CorrectionSchema,
    out=schemas.CorrectedSchema,
)
def correct_event(body: dict[str, Any], event_id: str) -> Any:
    """Let another value stand in for an event of the last 35 days; without a value it never happened."""
    usage.correct(event_id, body["id"], body["value"], key=body["key"])
    return {"id": body["id"], "corrects": event_id}


@api.get("/usage", access="viewer", scope=READ, out=schemas.MeterUseSchema, many=True)
def usage_now() -> Any:
    """The current month by meter: used, included, and what the rest costs so far."""
    return reads.meters_used()


@api.get("/usage/meters", access="viewer", scope=READ, out=schemas.MeterSchema, many=True)
def usage_meters() -> Any:
    """Everything that can be counted."""
    return reads.meter_list()


@api.get(
    "/usage/days", access="viewer", scope=READ, into=schemas.DaysQuerySchema, out=schemas.DaySchema, many=True
)
def usage_days(query: dict[str, Any]) -> Any:
    """A meter by day and service."""
    end = query["end"] or clock.now() + timedelta(minutes=5)
    start = query["start"] or end - timedelta(days=30)
    return reads.usage_days(query["meter"], start, end, query["subject"])


@api.get(
    "/usage/events",
    access="viewer",
    scope=READ,
    into=schemas.EventsQuerySchema,
    out=schemas.EventSchema,
    many=True,
)
def usage_events(query: dict[str, Any]) -> Any:
    """Events, the last received first; `unmatched=true` lists those that do not count, with the reason."""
    return reads.usage_events(**query)


@api.get("/usage/reconciliation", access="billing", scope=READ, out=schemas.ReconciliationSchema)
def usage_reconciliation() -> Any:
    """What was received, what of it is rated, and on which invoice it is."""
    return reads.reconciliation()
