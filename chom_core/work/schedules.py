"""Work that returns. A schedule that was missed while CHOM was down runs once, not once for each miss."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec import Struct

from chom_core.database import acting_as, clock, session, transaction
from chom_core.values.errors import Invalid
from chom_core.values.ids import uuid7
from chom_core.work import checkpoint, wake
from chom_core.work.cron import next_after
from chom_core.work.handlers import POOLS


class ScheduleSpec(Struct, frozen=True):
    """`kind` is enqueued whenever `cron` is due in `zone`: once, or once for each organisation the plugin is on for.

    The job's args hold `due`, the time it was due, as ISO 8601.
    """

    name: str
    kind: str
    cron: str
    zone: str = "UTC"
    per: Literal["platform", "tenant"] = "platform"
    pool: str = "default"
    max_attempts: int = 5


#: When the jobs of a kind next have something to do for the current organisation; None: nothing is in sight.
Ahead = Callable[[], datetime | None]
_ahead: dict[str, Ahead] = {}


def looks_ahead(kind: str) -> Callable[[Ahead], Ahead]:
    """Register who knows when a schedule's `kind` next has work: a test clock skips the runs that would find none.

    It may name too early an instant, never too late a one, and reads only. Without one every run is made.
    """

    def register(look: Ahead) -> Ahead:
        _ahead[kind] = look
        return look

    return register


def install(plugin: str | None, wanted: Iterable[ScheduleSpec]) -> None:
    """Make `wanted` the whole of the plugin's schedules (None: the core's). An unchanged one keeps its next time."""
    connection = session().connection()
    specs = list(wanted)
    connection.exec_driver_sql(
        "delete from core.schedule where plugin is not distinct from %s and name <> all(%s::text[])",
        (plugin, [spec.name for spec in specs]),
    )
    for spec in specs:
        if spec.pool not in POOLS:
            raise ValueError(
                f"the schedule {spec.name} names the pool {spec.pool!r}; there are {', '.join(POOLS)}"
            )
        connection.exec_driver_sql(
            "insert into core.schedule as s (id, name, plugin, kind, cron, zone, per, pool, max_attempts, next_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (name) do update set"
            " plugin = excluded.plugin, kind = excluded.kind, cron = excluded.cron, zone = excluded.zone,"
            " per = excluded.per, pool = excluded.pool, max_attempts = excluded.max_attempts,"
            " next_at = case when (s.cron, s.zone) = (excluded.cron, excluded.zone)"
            " then s.next_at else excluded.next_at end",
            (uuid7(), spec.name, plugin, spec.kind, spec.cron, spec.zone, spec.per, spec.pool, spec.max_attempts,
             next_after(spec.cron, spec.zone, clock.machine())),
        )  # fmt: skip


class Due(Struct, frozen=True):
    """A row of core.schedule, as far as running it needs."""

    id: UUID
    name: str
    plugin: str | None
    kind: str
    cron: str
    zone: str
    per: str
    pool: str
    max_attempts: int
    next_at: datetime


_SELECT = "select id, name, plugin, kind, cron, zone, per, pool, max_attempts, next_at from core.schedule s"
_DUE = f"{_SELECT} where next_at <= %s order by next_at limit 1 for update skip locked"
_FOR_TENANT = f"""{_SELECT} where per = 'tenant' and (plugin is null or exists (
  select from core.plugin_state p where p.tenant_id = %(tenant)s and p.plugin = s.plugin)) order by name"""
#: One job for each organisation the schedule serves, or for the platform; the key keeps two schedulers from doubling.
_FAN_OUT = """
insert into core.job (id, tenant_id, plugin, kind, pool, args, max_attempts, key)
select (left(%(id)s::text, 13) || '-8' || substr(digest, 1, 3) || '-8' || substr(digest, 4, 3) || '-'
        || substr(digest, 7, 12))::uuid,
       tenant_id, %(plugin)s, %(kind)s, %(pool)s, %(args)s::jsonb, %(attempts)s, key
from (select tenant_id, key, md5(key) as digest from (
  select t.tenant_id, 'schedule:' || %(name)s || ':' || coalesce(t.tenant_id::text, '-') || ':' || %(due)s as key
  from ({who}) t) keyed) digested
on conflict (key) do nothing returning id
"""
_PLATFORM = "select null::uuid as tenant_id"
_SERVED = """(%(plugin)s::text is null or exists (
  select from core.plugin_state p where p.tenant_id = t.id and p.plugin = %(plugin)s))"""
#: Organisations with a test clock are left to `advance`.
_TENANTS = f"select t.id as tenant_id from core.tenant t where t.clock_at is null and {_SERVED}"  # noqa: S608
_TENANT = f"select t.id as tenant_id from core.tenant t where t.id = %(tenant)s and {_SERVED}"  # noqa: S608


def tick(now: datetime | None = None) -> int:
    """Enqueue what is due; returns the number of schedules that ran. Two processes at once share the work."""
    ran = 0
    while _tick_one(now or clock.machine()):
        ran += 1
    return ran


def _tick_one(now: datetime) -> bool:
    with transaction() as unit:
        connection = unit.connection()
        found = connection.exec_driver_sql(_DUE, (now,)).one_or_none()
        if found is None:
            return False
        due, error = Due(*found), None
        try:
            following = next_after(due.cron, due.zone, now)
        except Invalid as problem:
            # A zone that the machine's tzdata dropped must not stop the other schedules.
            error, following = problem.detail, now + timedelta(days=1)
        made = fan_out(due, due.next_at)
        checkpoint.reach("schedule:fanned")
        connection.exec_driver_sql(
            "update core.schedule set next_at = %s, last_at = %s, last_error = %s where id = %s",
            (following, now, error, due.id),
        )
        for job_id in made:
            wake.wake_later(due.pool, job_id, due.kind)
    checkpoint.reach("schedule:committed")
    return True


def served(tenant_id: UUID) -> list[Due]:
    """The schedules that run for each organisation and are on for this one."""
    rows = session().connection().exec_driver_sql(_FOR_TENANT, {"tenant": tenant_id})
    return [Due(*row) for row in rows]


def knows(due: Due) -> bool:
    """Does anybody know when this schedule next has work?"""
    return due.kind in _ahead


def next_run(due: Due, after: datetime) -> datetime | None:
    """When the schedule next runs after `after` for the current organisation and may find work; None: not in sight."""
    look = _ahead.get(due.kind)
    if look is None:
        return next_after(due.cron, due.zone, after)
    with acting_as(due.plugin or "core", writes=False):
        wanted = look()
    if wanted is None:
        return None
    return next_after(due.cron, due.zone, max(after, wanted - timedelta(microseconds=1)))


def fan_out(due: Due, at: datetime, tenant_id: UUID | None = None) -> list[UUID]:
    """Enqueue the jobs of the occurrence `at` of a schedule, or only that of `tenant_id`. Returns the new jobs."""
    who = _TENANT if tenant_id else _TENANTS if due.per == "tenant" else _PLATFORM
    values = {
        "id": uuid7(),
        "name": due.name,
        "plugin": due.plugin,
        "kind": due.kind,
        "pool": due.pool,
        "attempts": due.max_attempts,
        "due": at.isoformat(),
        "args": json.dumps({"due": at.isoformat()}),
        "tenant": tenant_id,
    }
    return list(session().connection().exec_driver_sql(_FAN_OUT.replace("{who}", who), values).scalars())
