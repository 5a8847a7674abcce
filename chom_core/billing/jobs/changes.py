"""Changes of subscriptions that wait: run at their instant, and told a day before."""

from __future__ import annotations

from uuid import UUID

from chom_core.billing.service.changes import ending, rows
from chom_core.billing.service.changes.rows import REMIND, RUN
from chom_core.billing.service.subscribing import renewal, standing, subscriptions
from chom_core.database import clock
from chom_core.values.errors import NotFound
from chom_core.work import Job, emit, job, on

REPRICE = "billing.reprice"


@job(RUN, timeout=300)
def run_change(task: Job) -> None:
    """A change's instant has come: what fell due before it comes first."""
    renewal.renew_due()


@job(REMIND)
def remind_of_change(task: Job) -> None:
    """A day before a change, where it still waits."""
    try:
        row = rows.locked(UUID(task.args["change_id"]))
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


@on("subscription.ended", kind="billing.subscription_over", attempts=20)
def subscription_over(task: Job) -> None:
    """What a plan paid for stands still when it ends; its data is kept."""
    standing.stop(UUID(task.event.payload["subscription_id"]), standing.ENDED)


@on("subscription.paused", kind="billing.subscription_paused", attempts=20)
def subscription_paused(task: Job) -> None:
    standing.stop(UUID(task.event.payload["subscription_id"]), standing.PAUSED)


@on("subscription.resumed", kind="billing.subscription_resumed", attempts=20)
def subscription_resumed(task: Job) -> None:
    standing.go_on(UUID(task.event.payload["subscription_id"]))


@on("subscription.activated", kind="billing.subscription_begun", attempts=20)
def subscription_begun(task: Job) -> None:
    """A new hosting plan takes over the sites of one that has ended."""
    standing.go_on(UUID(task.event.payload["subscription_id"]))
