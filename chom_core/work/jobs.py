"""Putting work in line: `enqueue`, and `retry` for staff."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from chom_core.database import actor, current, session
from chom_core.values.errors import Conflict, NotFound
from chom_core.values.ids import uuid7
from chom_core.work import wake
from chom_core.work.handlers import KINDS

# A tenant with a test clock: what is due later than its clock waits (due_at null) for `advance`.
_ENQUEUE = """
insert into core.job (id, tenant_id, plugin, kind, pool, args, due_at, business_due_at, max_attempts, key)
select %(id)s, %(tenant)s, %(plugin)s, %(kind)s, %(pool)s, %(args)s::jsonb,
       case when c.at is null then coalesce(%(due)s::timestamptz, now())
            when %(due)s::timestamptz > c.at then null else now() end,
       %(due)s, %(attempts)s, %(key)s
from (select (select clock_at from core.tenant where id = %(tenant)s) as at) c
on conflict (key) do nothing returning due_at <= now()
"""


def enqueue(
    kind: str,
    args: dict[str, Any] | None = None,
    *,
    tenant_id: UUID | None = None,
    key: str | None = None,
    due_at: datetime | None = None,
    plugin: str | None = None,
    pool: str = "",
) -> UUID | None:
    """Add a job in the current transaction: it exists if and only if that commits. Returns its id.

    `tenant_id`: default the unit's organisation. `key`: at most one job ever has it; None is returned for a repeat.
    `due_at`: business time. `plugin`: default the acting plugin, or whoever registered `kind`.
    """
    known = KINDS.get(kind)
    unit = current()
    owner = plugin or (known.plugin if known else None) or (None if actor() == "core" else actor())
    # A process that has not loaded the plugin's jobs does not know the pool; the worker moves it (runner.py).
    made, where = uuid7(), pool or (known.pool if known else "default")
    values = {
        "id": made,
        "tenant": tenant_id or unit.tenant_id,
        "plugin": owner,
        "kind": kind,
        "pool": where,
        "args": json.dumps(args or {}),
        "due": due_at,
        "attempts": known.attempts if known else 5,
        "key": key,
    }
    row = session().connection().exec_driver_sql(_ENQUEUE, values).one_or_none()
    if row is None:
        return None
    if row[0]:
        wake.wake_later(where, made, kind)
    return made


def retry(job_id: UUID) -> None:
    """Put a failed or dead job back in line with all its attempts: the staff's button."""
    connection = session().connection()
    row = connection.exec_driver_sql(
        "update core.job set state = 'ready', attempts = 0, due_at = now(), finished_at = null"
        " where id = %s and state in ('failed', 'dead') returning pool, kind",
        (job_id,),
    ).one_or_none()
    if row is None:
        found = connection.exec_driver_sql("select state from core.job where id = %s", (job_id,)).scalar()
        if found is None:
            raise NotFound("There is no such job; done jobs are kept for 14 days.")
        raise Conflict(
            f"This job is {found}, not failed.", fix="Reload the page; somebody may have retried it."
        )
    wake.wake_later(row[0], job_id, row[1])
