"""Jobs of resellers, one job for each: nightly what is over is settled; those by share follow the platform."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import nightly, standing_in, wholesale
from chom_core.database import Tenant, clock, session
from chom_core.work import Job, ScheduleSpec, enqueue, job

FOLLOW_ONE = "billing.reseller_follows"
SCHEDULES = (ScheduleSpec("billing-settle-resellers", wholesale.RUN, "15 1 * * *", per="platform"),)


@job(wholesale.RUN, timeout=120)
def settle_resellers(task: Job) -> None:
    """One job for each reseller and day."""
    for tenant_id in _resellers():
        key = f"{wholesale.SETTLE}:{tenant_id}:{clock.now():%Y-%m-%d}"
        enqueue(wholesale.SETTLE, tenant_id=tenant_id, key=key)


@job(wholesale.SETTLE, timeout=600)
def settle_reseller(task: Job) -> None:
    """Statement and invoice of each month that is over, or the reseller's share; what was collected for it; payouts."""
    nightly.settle()


@job(sellers.FOLLOW, timeout=120)
def resellers_follow(task: Job) -> None:
    """The platform is another seller than it was."""
    for tenant_id in _resellers():
        enqueue(FOLLOW_ONE, tenant_id=tenant_id)


@job(FOLLOW_ONE, timeout=120)
def reseller_follows(task: Job) -> None:
    """Those by share are it, too."""
    if not sellers.decides():
        standing_in.follow()


def _resellers() -> Sequence[UUID]:
    return session().scalars(select(Tenant.id).where(Tenant.kind == "reseller")).all()
