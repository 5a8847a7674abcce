"""The scheduler process: schedules, expired leases, pools to wake, old rows to purge. Any number may run at once."""

from __future__ import annotations

import threading
import time

import redis
import structlog

from chom_core.work import checkpoint, lease, schedules, wake
from chom_core.work.handlers import POOLS

log = structlog.get_logger("chom.work")

#: Seconds a due job may stand ready, with no wake-up waiting in Redis, until its pool is woken by force.
STALE = 5.0
EVENT_DAYS, DONE_DAYS, PURGE_EVERY = 90, 14, 3600.0

_SHORT = """
select p, min.due_at < now() - make_interval(secs => %s) from unnest(%s::text[]) p, lateral (
  select due_at from core.job where pool = p and state = 'ready' and due_at <= now() order by due_at limit 1) min
"""
_LONG = """
select pool, id, kind, due_at < now() - make_interval(secs => %s) from core.job
where pool = any(%s) and state = 'ready' and due_at <= now() order by due_at, id limit 500
"""
_PURGE = (
    ("event", f"created_at < now() - interval '{EVENT_DAYS} days'"),
    ("job", f"state = 'done' and finished_at < now() - interval '{DONE_DAYS} days'"),
)


def run_scheduler(stop: threading.Event, every: float = 1.0) -> None:
    """Loop until `stop` is set. A lost Postgres or Redis is logged and waited for."""
    purged, pause = 0.0, every
    while not stop.is_set():
        try:
            schedules.tick()
            sweep()
            if time.monotonic() - purged > PURGE_EVERY:
                purge()
                purged = time.monotonic()
            pause = every
        except Exception as error:
            pause = min(pause * 2, 10.0)
            log.warning("scheduler will try again", error=type(error).__name__, seconds=pause)
        stop.wait(pause)


def sweep() -> int:
    """Take back expired leases and wake every pool with work due; returns how many leases had expired."""
    count, _ = lease.reclaim()
    checkpoint.reach("sweep:reclaimed")
    if not wake.configured():
        return count
    with lease.autocommit() as connection:
        short = connection.exec_driver_sql(
            _SHORT, (STALE, [p for p, forked in POOLS.items() if not forked])
        ).all()
        long = connection.exec_driver_sql(_LONG, (STALE, [p for p, forked in POOLS.items() if forked])).all()
    for pool, stale in short:
        wake.wake(pool, force=stale and _nobody_woken(pool))
    for pool, job_id, kind, stale in long:
        wake.wake(pool, {job_id: kind}, force=stale and _nobody_woken(pool))
    checkpoint.reach("sweep:woken")
    return count


def _nobody_woken(pool: str) -> bool:
    try:
        return wake.waiting(pool) == 0
    except redis.RedisError:
        return False


def purge(batch: int = 5000) -> dict[str, int]:
    """Delete events after 90 days and done jobs after 14; failed and dead ones stay. Returns counts by table."""
    gone = {}
    for table, old in _PURGE:
        sql = (
            f"delete from core.{table} where id = any(array("  # noqa: S608 (constants of this file)
            f"select id from core.{table} where {old} limit %s for update skip locked))"
        )
        gone[table] = 0
        while True:
            with lease.autocommit() as connection:
                count = connection.exec_driver_sql(sql, (batch,)).rowcount
            gone[table] += count
            if count < batch:
                break
    return gone
