"""Work for staff's eyes: what failed, what waits, what runs, schedules; and the buttons to try again and to run now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from chom_core.audit import Subject, record
from chom_core.billing.reads import DisputeInfo
from chom_core.database import Tenant, clock, session
from chom_core.values.errors import ChomError, Conflict, NotFound
from chom_core.work import JobRow, ScheduleRow, retry, wake
from chom_core.work.handlers import POOLS
from chom_core.work.schedules import Due, fan_out

BROKEN = ("failed", "dead")


class Pool(Struct, frozen=True):
    """A pool's queue. `oldest`: since when its oldest due job has waited."""

    name: str
    ready: int = 0
    later: int = 0
    running: int = 0
    broken: int = 0
    oldest: datetime | None = None


class Scheduled(Struct, frozen=True):
    """A schedule, with how often its jobs have failed and stand failed, and the last error."""

    row: ScheduleRow
    broken: int
    error: str


def broken_jobs(*, search: str = "", state: str = "", pool: str = "") -> Select[JobRow]:
    """Failed and dead jobs, unsorted. `search` looks in the kind, the plugin, the error and the organisation's name."""
    query = select(JobRow).where(JobRow.state.in_((state,) if state in BROKEN else BROKEN))
    if pool:
        query = query.where(JobRow.pool == pool)
    if search:
        named = select(Tenant.id).where(Tenant.name.icontains(search, autoescape=True))
        texts = (JobRow.kind, JobRow.plugin, JobRow.last_error)
        query = query.where(
            or_(JobRow.tenant_id.in_(named), *(text.icontains(search, autoescape=True) for text in texts))
        )
    return query


def running_jobs(limit: int = 50) -> list[JobRow]:
    """Leased jobs, the oldest first."""
    return list(
        session().scalars(select(JobRow).where(JobRow.state == "running").order_by(JobRow.id).limit(limit))
    )


def organisations(rows: Iterable[JobRow | DisputeInfo]) -> dict[UUID, str]:
    """The names of the rows' organisations: one query for a page."""
    ids = {row.tenant_id for row in rows if row.tenant_id is not None}
    query = select(Tenant.id, Tenant.name).where(Tenant.id.in_(ids))
    return {row[0]: row[1] for row in session().execute(query)} if ids else {}


def pools() -> list[Pool]:
    """Every pool with what waits in it: one query over the rows that are not done."""
    due = JobRow.due_at <= func.now()
    query = select(
        JobRow.pool,
        func.count().filter(JobRow.state == "ready", due),
        func.count().filter(JobRow.state == "ready", or_(~due, JobRow.due_at.is_(None))),
        func.count().filter(JobRow.state == "running"),
        func.count().filter(JobRow.state.in_(BROKEN)),
        func.min(JobRow.due_at).filter(JobRow.state == "ready", due),
    )
    rows = session().execute(query.where(JobRow.state != "done").group_by(JobRow.pool))
    found = {row[0]: Pool(*row) for row in rows}
    return [found.get(name, Pool(name)) for name in (*POOLS, *sorted(found.keys() - POOLS.keys()))]


def retry_jobs(ids: Iterable[UUID]) -> tuple[int, list[str]]:
    """Put each back in line; returns how many, and what was wrong with the others."""
    done, wrong = 0, []
    for job_id in dict.fromkeys(ids):
        try:
            with session().begin_nested():
                retry_job(job_id)
            done += 1
        except ChomError as error:
            wrong.append(f"{error.detail} {error.fix}".strip())
    return done, wrong


def retry_job(job_id: UUID) -> None:
    """Put a failed or dead job back in line with all its attempts; the log says who did."""
    row = session().get(JobRow, job_id)
    retry(job_id)
    if row is not None:
        record(
            "job.retried", Subject("job", row.id, row.kind), before={"state": row.state, "error": row.last_error},
            tenant_id=row.tenant_id,
        )  # fmt: skip


def schedules() -> list[Scheduled]:
    """Every schedule, the next one first."""
    latest = (
        select(JobRow.kind, JobRow.last_error, func.count().over(partition_by=JobRow.kind).label("count"))
        .where(JobRow.state.in_(BROKEN))
        .ext(distinct_on(JobRow.kind))
        .order_by(JobRow.kind, JobRow.id.desc())
    )
    broken = {row[0]: (row[2], row[1] or "") for row in session().execute(latest)}
    rows = session().scalars(select(ScheduleRow).order_by(ScheduleRow.next_at, ScheduleRow.name))
    return [Scheduled(row, *broken.get(row.kind, (0, ""))) for row in rows]


def run_now(schedule_id: UUID) -> int:
    """Run a schedule out of turn: for the platform, or for each organisation it serves. Returns the number of jobs."""
    row = session().get(ScheduleRow, schedule_id)
    if row is None:
        raise NotFound(_("There is no such schedule any more."), fix=_("Reload the page."))
    due = Due(
        row.id,
        row.name,
        row.plugin,
        row.kind,
        row.cron,
        row.zone,
        row.per,
        row.pool,
        row.max_attempts,
        row.next_at,
    )
    made = fan_out(due, clock.machine())
    if not made:
        raise Conflict(_("It serves no organisation now, so there is nothing to run."))
    for job_id in made:
        wake.wake_later(row.pool, job_id, row.kind)
    record("schedule.run_now", Subject("schedule", row.id, row.name), after={"jobs": len(made)})
    return len(made)
