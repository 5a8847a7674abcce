"""Facts. `emit` writes the event and a job for each of its handlers in one statement, in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from msgspec import Struct

from chom_core.database import clock, current, session
from chom_core.values.ids import uuid7
from chom_core.work import wake
from chom_core.work.handlers import KINDS

# A delivery's id is made from event, handler and plugin, so a repeated fan-out cannot double it. It starts with the
# event's own time bits (first 12 hex digits), which keeps the index of jobs in order, and is a UUID of version 8.
_EMIT = """
with numbered as (
  insert into core.event_subject as s (id, tenant_id, subject, seq) values (%(sid)s, %(tenant)s, %(subject)s, 1)
  on conflict (tenant_id, subject) do update set seq = s.seq + 1 returning seq),
fact as (
  insert into core.event (id, tenant_id, type, subject, seq, payload, at)
  select %(id)s, %(tenant)s, %(type)s, %(subject)s, seq, %(payload)s::jsonb, %(at)s from numbered
  returning seq, payload),
handler as (
  select h.plugin, h.job_kind, h.pool, h.max_attempts,
         md5(%(id)s::text || '/' || h.job_kind || '/' || coalesce(h.plugin, '')) as digest
  from core.event_handler h
  where h.event_type = %(type)s and (h.plugin is null or exists (
    select from core.plugin_state p where p.tenant_id = %(tenant)s and p.plugin = h.plugin))),
delivery as (
  insert into core.job (id, tenant_id, plugin, kind, pool, args, max_attempts, key, event_id)
  select (left(%(id)s::text, 13) || '-8' || substr(digest, 1, 3) || '-8' || substr(digest, 4, 3) || '-'
          || substr(digest, 7, 12))::uuid,
         %(tenant)s, plugin, job_kind, pool,
         jsonb_build_object('event', jsonb_build_object(
           'id', %(id)s::text, 'type', %(type)s::text, 'subject', %(subject)s::text, 'seq', fact.seq,
           'at', %(at_text)s::text, 'payload', fact.payload)),
         max_attempts, 'event:' || %(id)s::text || ':' || digest, %(id)s
  from handler, fact
  on conflict (key) do nothing returning id, pool, kind)
select (select seq from fact), d.id, d.pool, d.kind from (select 1) one left join delivery d on true
"""


def emit(
    type: str,
    *,
    subject: str,
    payload: dict[str, Any] | None = None,
    tenant_id: UUID | None = None,
) -> UUID:
    """Record that `type` happened to `subject` (`invoice:<id>`), in the current transaction. Returns the event's id.

    `tenant_id`: default the unit's organisation. Each handler that is on for it gets a job; deliveries are unordered.
    """
    unit = current()
    made = uuid7()
    at = clock.now()
    values = {
        "sid": uuid7(),
        "id": made,
        "tenant": tenant_id or unit.tenant_id,
        "type": type,
        "subject": subject,
        "payload": json.dumps(payload or {}),
        "at": at,
        "at_text": at.isoformat(),
    }
    for _, job_id, pool, kind in session().connection().exec_driver_sql(_EMIT, values):
        if job_id is not None:
            wake.wake_later(pool, job_id, kind)
    return made


class Subscription(Struct, frozen=True):
    """Events of `event_type` become jobs of `job_kind`."""

    event_type: str
    job_kind: str
    pool: str = "default"
    max_attempts: int = 5


def subscribe(plugin: str | None, wanted: Iterable[Subscription]) -> None:
    """Make `wanted` the whole of the plugin's subscriptions (None: the core's): at install, upgrade, uninstall ([])."""
    connection = session().connection()
    keep = list({(item.event_type, item.job_kind): item for item in wanted}.values())
    connection.exec_driver_sql(
        "delete from core.event_handler where plugin is not distinct from %s"
        " and (event_type, job_kind) not in (select * from unnest(%s::text[], %s::text[]))",
        (plugin, [item.event_type for item in keep], [item.job_kind for item in keep]),
    )
    for item in keep:
        connection.exec_driver_sql(
            "insert into core.event_handler (id, plugin, event_type, job_kind, pool, max_attempts)"
            " values (%s, %s, %s, %s, %s, %s) on conflict (event_type, job_kind, plugin)"
            " do update set pool = excluded.pool, max_attempts = excluded.max_attempts",
            (uuid7(), plugin, item.event_type, item.job_kind, item.pool, item.max_attempts),
        )


def registered(plugin: str | None) -> list[Subscription]:
    """What `@on` has registered for `plugin` in this process (None: by the core)."""
    return [
        Subscription(event_type, kind.name, kind.pool, kind.attempts)
        for kind in KINDS.values()
        if kind.plugin == plugin
        for event_type in kind.events
    ]
