"""Changes of subscriptions that wait: run at their instant, and told a day before."""

from __future__ import annotations

from uuid import UUID

from chom_core.billing.service import change_rows, ending, renewal, subscriptions
from chom_core.billing.service.change_rows import REMIND, RUN
from chom_core.database import clock
from chom_core.values.errors import NotFound
from chom_core.work import Job, emit, job

REPRICE = "billing.reprice"


@job(RUN, timeout=300)
def run_change(task: Job) -> None:
    """A change's instant has come: what fell due before it comes first."""
    renewal.renew_due()


@job(REMIND)
def remind_of_change(task: Job) -> None:
    """A day before a change, where it still waits."""
    try:
        row = change_rows.locked(UUID(task.args["change_id"]))
    except NotFound:
        return
    if row.status != "scheduled" or row.reminded_at is not None:
        return
    row.reminded_at = clock.now()
    emit(
        "subscription.change_upcoming",
        subject=f"subscription:{row.subscription_id}",
        payload={"subscription_id": str(row.subscription_id), "change_id": str(row.id), "kind": row.kind,
                 "plan": row.plan_code, "at": row.effective_at.isoformat()},
    )  # fmt: skip


@job(REPRICE)
def reprice(task: Job) -> None:
    """Staff moved a plan's holders to today's prices: from the next renewal on."""
    plan_id = UUID(task.args["plan_id"])
    for of in subscriptions.kept():
        if any(item.plan_id == plan_id for item in of.items):
            ending.reprice(of.id)
