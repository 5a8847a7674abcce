"""Jobs of resellers: each night what is over is settled, for each reseller in a job of its own."""

from __future__ import annotations

from sqlalchemy import select

from chom_core.billing.service.partners import collected, wholesale
from chom_core.database import Tenant, clock, session
from chom_core.work import Job, ScheduleSpec, enqueue, job

SCHEDULES = (ScheduleSpec("billing-settle-resellers", wholesale.RUN, "15 1 * * *", per="platform"),)


@job(wholesale.RUN, timeout=120)
def settle_resellers(task: Job) -> None:
    """One job for each reseller and day."""
    for tenant_id in session().scalars(select(Tenant.id).where(Tenant.kind == "reseller")).all():
        key = f"{wholesale.SETTLE}:{tenant_id}:{clock.now():%Y-%m-%d}"
        enqueue(wholesale.SETTLE, tenant_id=tenant_id, key=key)


@job(wholesale.SETTLE, timeout=600)
def settle_reseller(task: Job) -> None:
    """Statement and invoice of each month that is over, or the reseller's share; and money that was held for it."""
    wholesale.settle_due()
    collected.hand_on()
