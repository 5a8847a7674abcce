"""Billing's jobs: renewals, unfinished payments, and what a built or failed service means for its money."""

from __future__ import annotations

from uuid import UUID

from chom_core.billing.service.buying import building, checkout, funding, purchases
from chom_core.billing.service.buying.building import CAPTURE, RELEASE
from chom_core.billing.service.paying import payments
from chom_core.billing.service.paying.payments import RESOLVE
from chom_core.billing.service.subscribing import renewal, subscriptions
from chom_core.billing.service.subscribing.renewal import RENEW
from chom_core.work import Job, ScheduleSpec, job, on

funding.install()

#: Hourly, so that a period which ends at noon is invoiced at noon and not the next night.
SCHEDULES = (ScheduleSpec("billing-renew", RENEW, "5 * * * *", per="tenant"),)


@job(RENEW, timeout=300)
def renew(task: Job) -> None:
    """Roll what has ended; charge what a crash left uncharged."""
    renewal.renew_due()
    renewal.collect_open()
    purchases.clear_abandoned()


@job(RESOLVE, timeout=120, attempts=10)
def resolve_payment(task: Job) -> None:
    """Ask about an attempt that nobody finished."""
    payments.resolve(UUID(task.args["payment_id"]))


@job(CAPTURE, timeout=120, attempts=20)
def capture(task: Job) -> None:
    """Take the money that was held for a service which now stands."""
    purchase = checkout.checkout(UUID(task.args["checkout_id"]))
    payment = building.payment_of(purchase)
    if payment is not None:
        payments.capture(payment.id)


@job(RELEASE, timeout=120, attempts=20)
def release(task: Job) -> None:
    """Let a hold go, and end what was never paid."""
    purchase = checkout.checkout(UUID(task.args["checkout_id"]))
    payment = building.payment_of(purchase)
    if payment is not None:
        payments.release(payment.id)
    building.let_go(checkout.checkout(purchase.id))


@on("service.active", kind="billing.service_active")
def service_active(task: Job) -> None:
    building.active(UUID(task.event.payload["service_id"]))


@on("service.failed", kind="billing.service_failed")
def service_failed(task: Job) -> None:
    """A failed build costs nothing. Other failures of a service leave its plan as it is."""
    if task.event.payload.get("action") == "create":
        building.failed_build(UUID(task.event.payload["service_id"]), task.event.payload.get("error", ""))


@on("service.deleted", kind="billing.service_deleted")
def service_deleted(task: Job) -> None:
    """A service with a plan of its own is gone: its hold is let go, or its plan is not renewed."""
    service_id = UUID(task.event.payload["service_id"])
    building.failed_build(service_id, "The order was cancelled.")
    item = subscriptions.item_of(task.event.payload.get("paid_by", ""))
    if item is not None and item.service_id == service_id and item.subscription.status in subscriptions.LIVE:
        subscriptions.cancel(item.subscription_id)
