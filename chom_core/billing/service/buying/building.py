"""Service plans: the money is held, the service is built, then the money is taken, or let go."""

from __future__ import annotations

from contextvars import ContextVar
from uuid import UUID

from sqlalchemy import select

from chom_core.billing.models import Checkout, Invoice, Payment, Plan, SubscriptionItem
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import afresh, session
from chom_core.provisioning.service import create_service
from chom_core.values.errors import ChomError
from chom_core.values.provisioning import OperationInfo
from chom_core.work import emit, enqueue

#: The item that pays for the service which is being ordered right now; `funding` admits that order and no other.
paying_for: ContextVar[str] = ContextVar("chom_paying_for", default="")
CAPTURE, RELEASE = "billing.capture", "billing.release"


def rehearse(checkout: Checkout) -> None:
    """Ask provisioning everything it would refuse (name, room, limits) before a card is touched; keep nothing."""
    with session().begin_nested() as savepoint:
        _order(checkout)
        session().flush()
        savepoint.rollback()
    session().expire_all()


def begin(checkout: Checkout) -> None:
    """The hold stands: order the service. Where provisioning refuses now, the hold goes back."""
    try:
        with session().begin_nested():
            deliver(checkout)
    except ChomError as refusal:
        session().refresh(checkout)
        failed(checkout, f"{refusal.detail} {refusal.fix}".strip())
        return
    checkout.status = "building"
    session().flush()


def deliver(checkout: Checkout) -> None:
    """Order the service of a purchase and note which one it is."""
    operation = _order(checkout)
    checkout.service_id = operation.service_id
    _item(checkout).service_id = operation.service_id
    session().flush()


def active(service_id: UUID) -> None:
    """The service was seen running: take the money, by a job of its own."""
    checkout = _building(service_id)
    if checkout is not None:
        _queue(CAPTURE, checkout)


def failed_build(service_id: UUID, why: str) -> None:
    """The service could not be built: let the hold go; nothing is charged."""
    checkout = _building(service_id)
    if checkout is not None:
        failed(checkout, why)


def failed(checkout: Checkout, why: str) -> None:
    """The purchase did not work out. The hold is let go by a job, so that a silent gateway does not stop us."""
    checkout.status, checkout.note = "failed", why[:300]
    _queue(RELEASE, checkout)
    emit(
        "checkout.failed",
        subject=f"checkout:{checkout.id}",
        payload={"checkout_id": str(checkout.id), "plan": checkout.plan_code, "name": checkout.service_name,
                 "why": checkout.note},
    )  # fmt: skip


def let_go(checkout: Checkout) -> None:
    """After the hold is gone: the draft is void, the subscription never lived."""
    invoice = session().get(Invoice, checkout.invoice_id) if checkout.invoice_id else None
    if invoice is not None and invoice.status == "draft":
        invoice.status = "void"
    if checkout.subscription_id is not None:
        subscriptions.end(subscriptions.subscription(checkout.subscription_id, lock=True))


def payment_of(checkout: Checkout) -> Payment | None:
    """The attempt of a purchase that can still become money, or became it."""
    states = ("created", "requires_action", "pending", "authorised", "succeeded")
    query = select(Payment).where(Payment.checkout_id == checkout.id, Payment.status.in_(states))
    return session().scalar(query)


def _building(service_id: UUID) -> Checkout | None:
    query = select(Checkout).where(Checkout.service_id == service_id, Checkout.status == "building")
    return session().scalar(afresh(query))


def _queue(kind: str, checkout: Checkout) -> None:
    enqueue(kind, {"checkout_id": str(checkout.id)}, key=f"{kind}:{checkout.id}")


def _order(checkout: Checkout) -> OperationInfo:
    plan: Plan = catalogue.plan(checkout.plan_code)
    token = paying_for.set(subscriptions.source(_item(checkout)))
    try:
        return create_service(
            kind=plan.service_kind, name=checkout.service_name, settings=dict(checkout.service_settings)
        )
    finally:
        paying_for.reset(token)


def _item(checkout: Checkout) -> SubscriptionItem:
    query = select(SubscriptionItem).where(SubscriptionItem.subscription_id == checkout.subscription_id)
    return session().scalars(query).one()
