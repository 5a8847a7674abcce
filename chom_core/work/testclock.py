"""Test clocks: an organisation stands at an instant, and `advance` moves it, running what falls due on the way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chom_core.database import one_connection, session, transaction
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.work import lease, schedules
from chom_core.work.runner import current_job, run_all
from chom_core.work.schedules import Due

_LOCK = "select pg_try_advisory_xact_lock(hashtextextended('chom-clock:' || %s, 0))"
_SET = "update core.tenant set clock_at = %s, generation = generation + 1 where id = %s returning id"
# In the middle of a move nobody need hear of each instant: the last one tells.
_MOVE = "update core.tenant set clock_at = %s where id = %s"
_RELEASE = """
update core.job set due_at = now()
where tenant_id = %s and due_at is null and state = 'ready' and business_due_at <= %s
"""
_HOLD_BACK = """
update core.job set due_at = null
where tenant_id = %s and state = 'ready' and business_due_at > %s and due_at > now()
"""
_LET_GO = (
    "update core.job set due_at = business_due_at where tenant_id = %s and due_at is null and state = 'ready'"
)
_NEXT = (
    "select min(business_due_at) from core.job where tenant_id = %s and due_at is null and state = 'ready'"
)


def stand(tenant_id: UUID, at: datetime | None) -> None:
    """Put the organisation on a test clock standing at `at`, or back to real time (None). Moves nothing on."""
    with transaction() as unit:
        connection = unit.connection()
        if connection.exec_driver_sql(_SET, (at, tenant_id)).one_or_none() is None:
            raise NotFound("There is no such organisation.")
        if at is None:
            connection.exec_driver_sql(_LET_GO, (tenant_id,))
        else:
            connection.exec_driver_sql(_HOLD_BACK, (tenant_id, at))


def advance(tenant_id: UUID, to: datetime, *, quick: bool = False) -> int:
    """Move the organisation's test clock to `to`, running in this process, in order, what falls due: jobs that wait
    and schedules that run for each organisation. Returns the number of jobs run here.

    `quick`: schedules that cannot look ahead (see `looks_ahead`) are left out; everything else runs. The process must
    have every handler loaded. A failing job is retried by the workers and does not stop the clock.
    """
    with transaction() as guard:
        if not guard.connection().exec_driver_sql(_LOCK, (str(tenant_id),)).scalar():
            raise Conflict("This clock is already moving.", fix="Wait until it stands, then move it on.")
        with one_connection():
            return _advance(tenant_id, to, quick)


def _advance(tenant_id: UUID, to: datetime, quick: bool) -> int:
    now = _standing(tenant_id)
    if to < now:
        raise Invalid(f"The clock stands at {now:%d %b %Y %H:%M} UTC and does not go back.")
    done = _settle(tenant_id)
    while (found := _next(tenant_id, now, to, quick)) is not None:
        now, running = found
        _step(tenant_id, now, running, on_the_way=True)
        done += _settle(tenant_id)
    _step(tenant_id, to, (), on_the_way=False)
    return done + _settle(tenant_id)


def _standing(tenant_id: UUID) -> datetime:
    with transaction() as unit:
        row = (
            unit.connection()
            .exec_driver_sql("select clock_at from core.tenant where id = %s", (tenant_id,))
            .first()
        )
    if row is None:
        raise NotFound("There is no such organisation.")
    if row[0] is None:
        raise Invalid("This organisation runs on real time.", fix="Give it a test clock first.")
    found: datetime = row[0]
    return found


def _next(tenant_id: UUID, now: datetime, to: datetime, quick: bool) -> tuple[datetime, list[Due]] | None:
    """The next instant in (now, to] at which something falls due, and the schedules that run then."""
    with transaction(tenant_id) as unit:
        waiting = unit.connection().exec_driver_sql(_NEXT, (tenant_id,)).scalar()
        served = [due for due in schedules.served(tenant_id) if not quick or schedules.knows(due)]
        runs = [(at, due) for due in served if (at := schedules.next_run(due, now))]
    found = [at for at, _due in runs] + ([] if waiting is None else [max(waiting, now)])
    instant = min(found, default=None)
    if instant is None or instant > to:
        return None
    return instant, [due for at, due in runs if at == instant]


def _step(tenant_id: UUID, instant: datetime, running: Sequence[Due], *, on_the_way: bool) -> None:
    """Set the clock and let go what is due then, in one transaction: a crash between instants loses nothing."""
    with transaction(tenant_id):
        connection = session().connection()
        connection.exec_driver_sql(_MOVE if on_the_way else _SET, (instant, tenant_id))
        connection.exec_driver_sql(_RELEASE, (tenant_id, instant))
        for due in running:
            schedules.fan_out(due, instant, tenant_id)


def _settle(tenant_id: UUID) -> int:
    """Run what is ready, and wait for what workers of other processes took of it, until nothing is left."""
    done, until = 0, time.monotonic() + 2 * lease.LEASE
    while True:
        ran = run_all(tenant_id, reraise=False)
        done += ran
        if not ran and not _taken(tenant_id):
            return done
        if time.monotonic() > until:
            raise Conflict(
                "A job of this organisation is still running.", fix="Move the clock on when it has ended."
            )
        if not ran:
            time.sleep(0.02)


def _taken(tenant_id: UUID) -> bool:
    mine = current_job()
    with transaction() as unit:
        found = unit.connection().exec_driver_sql(
            "select 1 from core.job where state = 'running' and tenant_id = %s and id is distinct from %s limit 1",
            (tenant_id, mine.id if mine else None),
        )
        return found.first() is not None
