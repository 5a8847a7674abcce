"""Moving an organisation's clock: a job, since what falls due on the way needs every handler, and may take minutes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chom_core.database import clock
from chom_core.work import Job, advance, job, outside, stand

ADVANCE = "demo.advance"


@job(ADVANCE, pool="ssh", timeout=1800, attempts=3, long=True)
def move_clock(task: Job) -> None:
    """args: tenant_id, from (where the clock is to stand first; empty: it stands already), to; ISO 8601."""
    tenant_id = UUID(task.args["tenant_id"])
    begin = task.args.get("from")
    outside(
        _move,
        tenant_id,
        datetime.fromisoformat(begin) if begin else None,
        datetime.fromisoformat(task.args["to"]),
    )


def _move(tenant_id: UUID, begin: datetime | None, to: datetime) -> None:
    if begin is not None:
        stand(tenant_id, begin)
    advance(tenant_id, to)


def target(days: int, standing: datetime | None) -> tuple[datetime | None, datetime]:
    """Where the clock is put first (None: it stands already), and where it goes."""
    from datetime import timedelta

    now = standing or clock.machine()
    return (None if standing else now), now + timedelta(days=days)
