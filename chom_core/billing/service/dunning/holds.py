"""What stands still for an unpaid invoice: the services of its own subscriptions, and nobody else's.

A reseller's customers pay with subscriptions of their own, so a reseller's unpaid bill reaches none of their sites; nor
does it take the reseller's features, which its customers' features hang on.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert

from chom_core.audit.service import Subject, record
from chom_core.billing.models import BilledPeriod, Dunning, DunningHold, Invoice, Subscription
from chom_core.billing.service.changes import billed
from chom_core.billing.service.dunning import rows
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import clock, session
from chom_core.plugin_host import gate
from chom_core.provisioning.models import Service
from chom_core.provisioning.service import suspend_service, unsuspend_service
from chom_core.values.errors import Conflict
from chom_core.values.ids import uuid7
from chom_core.work import enqueue

#: Statuses of a service that can be stopped; one that is still being built is stopped when it stands.
RUNS = ("active", "stopped")
RENEW = "billing.renew"


def why(invoice: Invoice) -> str:
    """Kept with the service, and shown on its page."""
    return f"Invoice {invoice.number} is unpaid."


def services(invoice: Invoice) -> list[Service]:
    """What the invoice's subscriptions pay for."""
    sources = [billed.source(item) for of in subscriptions.of_invoice(invoice) for item in of.items]
    query = select(Service).where(
        Service.paid_by.in_(sources), Service.status.not_in(("deleting", "deleted"))
    )
    return list(session().scalars(query.order_by(Service.id)))


def suspend(of: Dunning, invoice: Invoice) -> int:
    """Stop the services that are not stopped for another reason. Returns how many stand still for this invoice."""
    count = 0
    for service in services(invoice):
        held = exists().where(DunningHold.service_id == service.id, DunningHold.released_at.is_(None))
        if service.status == "suspended" and not session().scalar(select(held)):
            continue  # by staff, say: it does not come back with a payment
        row = insert(DunningHold).values(
            id=uuid7(), created_at=clock.now(), tenant_id=of.tenant_id, dunning_id=of.id, service_id=service.id
        )  # fmt: skip
        again = row.on_conflict_do_update(
            index_elements=["tenant_id", "dunning_id", "service_id"], set_={"released_at": None}
        )
        session().execute(again)
        _stop(service, why(invoice))
        count += 1
    return count


def keep(of: Dunning) -> None:
    """A service that was busy, or was built since, stands still from now on too."""
    if of.suspended_at is not None and of.status != "settled":
        suspend(of, session().get_one(Invoice, of.invoice_id))


def _stop(service: Service, words: str) -> None:
    if service.status not in RUNS:
        return
    try:
        with session().begin_nested():
            suspend_service(service.id, words)
    except Conflict:  # something else is being done to it: the sweep comes again
        session().refresh(service)


def release(of: Dunning) -> None:
    """Let go what this invoice held; its subscriptions live again. Again: nothing happens."""
    invoice = session().get_one(Invoice, of.invoice_id)
    stood, of.suspended_at = of.suspended_at is not None, None
    query = select(DunningHold).where(DunningHold.dunning_id == of.id, DunningHold.released_at.is_(None))
    mine = session().scalars(query).all()
    for hold in mine:
        hold.released_at = clock.now()
    session().flush()
    for one in subscriptions.of_invoice(invoice):
        _revive(one, stood=stood)
    for hold in mine:
        _start(hold, why(invoice))


def _revive(of: Subscription, *, stood: bool) -> None:
    """Active again, unless another of its invoices is unpaid. Time it stood still is not billed: it goes on now."""
    if of.status != "past_due" and of.status != "active":
        return
    if unpaid(of):
        subscriptions.past_due(of)
        return
    now = clock.now()
    if stood and of.current_period_end < now:
        if of.alignment == "anniversary" and of.billing_day is None:
            of.anchor = now
        of.current_period_start = of.current_period_end = now
        session().flush()
        enqueue(RENEW, {}, key=f"{RENEW}:restored:{of.id}:{now.isoformat()}")
    subscriptions.activate(of)


def _start(hold: DunningHold, words: str) -> None:
    """Run again, where nothing else holds it, and what it is for is still paid for."""
    service = session().get(Service, hold.service_id, populate_existing=True)
    if service is None or service.status != "suspended" or service.suspended_why != words or _held(hold):
        return
    item = subscriptions.item_of(service.paid_by)
    if item is None or item.subscription.status not in subscriptions.LIVE:
        return
    try:
        with session().begin_nested():
            unsuspend_service(service.id)
    except Conflict:
        session().refresh(service)


def _held(hold: DunningHold) -> bool:
    other = exists().where(DunningHold.service_id == hold.service_id, DunningHold.released_at.is_(None))
    return bool(session().scalar(select(other)))


def bring_back() -> None:
    """Services that were let go while they were being stopped: start them now."""
    recent = clock.now() - timedelta(days=30)
    query = (
        select(DunningHold, Dunning)
        .join(Dunning, Dunning.id == DunningHold.dunning_id)
        .join(Service, Service.id == DunningHold.service_id)
        .where(DunningHold.released_at > recent, Service.status == "suspended")
    )
    for hold, of in session().execute(query.order_by(DunningHold.id)).all():
        _start(hold, why(session().get_one(Invoice, of.invoice_id)))


def end(of: Dunning, invoice: Invoice) -> None:
    """The end of the ladder, by the seller's choice: it ends, or stands still without its features."""
    if rows.tenant_kind() == "reseller":
        return
    for one in subscriptions.of_invoice(invoice):
        if one.status not in subscriptions.KEPT:
            continue
        if of.terms["outcome"] == "cancel":
            one.cancel_reason = "unpaid"
            titles = ", ".join(item.title for item in one.items)
            record("subscription.ended", Subject("subscription", one.id, titles), reason="unpaid")
            subscriptions.end(one)
        else:
            for item in one.items:
                gate.entitle(one.tenant_id, billed.source(item), (), item.title)


def unpaid(of: Subscription) -> bool:
    """Is an invoice of this subscription on its ladder?"""
    return _any(of, Dunning.status == "open")


def stands_still(of: Subscription) -> bool:
    """Is it suspended for an unpaid invoice? Then nothing new is billed, and nothing new is built on it."""
    return _any(of, Dunning.suspended_at.is_not(None))


def _any(of: Subscription, which: object) -> bool:
    several = exists().where(
        BilledPeriod.invoice_id == Dunning.invoice_id, BilledPeriod.subscription_id == of.id
    )
    query = select(Dunning.id).join(Invoice, Invoice.id == Dunning.invoice_id)
    query = query.where((Invoice.subscription_id == of.id) | several, which)  # type: ignore[arg-type]
    return session().scalar(query.limit(1)) is not None
