"""What a purchase consists of before it is paid: its row, an incomplete subscription, a draft invoice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chom_core.billing.models import Checkout, Invoice, Payment, Plan, Subscription
from chom_core.billing.models.payments import OPEN
from chom_core.billing.service.changes import billed
from chom_core.billing.service.invoicing import invoices, sellers
from chom_core.billing.service.offers import catalogue, coupons
from chom_core.billing.service.paying import payments
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import clock, current, locked, session
from chom_core.values.billing import Order, PlanShape
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod

#: How long a purchase may wait for its payment.
ABANDONED = timedelta(days=1)


class Click(Struct, frozen=True):
    """One press of Pay. `checkout_id` and `attempt` come with the form: pressed twice they are the same payment.

    `expected` is the amount on the button. `card` holds the gateway's fields, or `method_id` names a card on file;
    `card_url` is where a gateway with a card page of its own leads back to, `return_url` where the bank does.
    """

    checkout_id: UUID
    attempt: str
    expected: Money
    card: Mapping[str, str] | None = None
    method_id: UUID | None = None
    return_url: str = ""
    card_url: str = ""
    settings: Mapping[str, Any] | None = None


def priced(order: Order) -> tuple[Plan, Money]:
    if order.quantity < 1 or order.quantity > 1000:
        raise Invalid(_("How many?"), fields={"quantity": [_("Between 1 and 1000.")]})
    plan = catalogue.plan(order.plan)
    if plan.shape == PlanShape.ADDON.value:
        raise Invalid(_("An add-on is bought with a plan."), fix=_("Add it to your plan under Billing."))
    if plan.shape == PlanShape.HOSTING.value and order.quantity != 1:
        raise Invalid(_("An organisation has one hosting plan."), fields={"quantity": [_("Only 1.")]})
    return plan, catalogue.price(plan, order.currency, BillingPeriod(order.period))


def title(plan: Plan, order: Order) -> str:
    return f"{plan.title} «{order.service_name}»" if order.service_name else plan.title


def record(order: Order, click: Click) -> Checkout:
    """The purchase's row: made by the first press, found by every other. Locked."""
    tenant_id = current().tenant_id
    values = {
        "plan_code": order.plan, "billing_period": BillingPeriod(order.period).value, "currency": order.currency,
        "quantity": order.quantity, "promotion_code": coupons.normal(order.promotion_code)[: coupons.CODE],
        "service_name": order.service_name.strip().lower()[:120],
    }  # fmt: skip
    row = insert(Checkout).values(
        id=click.checkout_id, created_at=clock.now(), tenant_id=tenant_id, status="open", amount=0, note="",
        service_settings=dict(click.settings or {}), **values,
    )  # fmt: skip
    session().execute(row.on_conflict_do_nothing(index_elements=["id"]))
    missing = NotFound(_("There is no such purchase."), fix=_("Start again from the prices page."))
    found = locked(Checkout, click.checkout_id, missing)
    if found.status == "open":  # an attempt was declined, and the form may say something else now
        for name, value in values.items():
            setattr(found, name, value)
        found.service_settings = dict(click.settings or {})
    return found


def prepare(purchase: Checkout, order: Order, plan: Plan) -> Invoice:
    """Incomplete subscription and draft invoice, made anew for every attempt but one that is still on its way."""
    _clear_the_way(purchase, plan)
    seller = sellers.seller()
    unit = catalogue.price(plan, order.currency, BillingPeriod(order.period))
    subscription = subscriptions.begin(
        plan, unit, BillingPeriod(order.period), order.quantity, title(plan, order), seller.id
    )
    if order.promotion_code.strip():
        coupons.redeem(order.promotion_code, plan.code, order.currency, subscription.id)
    bill = invoices.rate(order.currency, subscriptions.first_charges(subscription))
    period = subscriptions.current_period(subscription) if bill.lines else None
    invoice = invoices.draft(bill, seller=seller, subscription_id=subscription.id, period=period)
    billed.record(invoice, [subscription])
    purchase.subscription_id, purchase.invoice_id, purchase.amount = (
        subscription.id,
        invoice.id,
        invoice.total,
    )
    session().flush()
    return invoice


def _clear_the_way(purchase: Checkout, plan: Plan) -> None:
    """Refuse a second hosting plan; drop what an earlier attempt or an abandoned purchase has left."""
    if plan.shape == PlanShape.HOSTING.value:
        living = subscriptions.hosting()
        if living is not None:
            raise Conflict(
                _(
                    "You already have %(title)s: an organisation has one hosting plan.",
                    title=living.items[0].title,
                ),
                fix=_("Look at it under Billing."),
            )
        left = subscriptions.hosting(any_state=True)
        if left is not None and left.status == "paused":
            raise Conflict(_("Your plan is paused."), fix=_("Resume it under Billing, or end it first."))
        if left is not None:
            _drop(left)
    elif purchase.subscription_id is not None:
        _drop(session().get_one(Subscription, purchase.subscription_id))


def _drop(left: Subscription) -> None:
    """End an incomplete subscription. One whose payment may still succeed is asked about first."""
    query = select(Payment).join(Invoice, Invoice.id == Payment.invoice_id)
    query = query.where(Invoice.subscription_id == left.id, Payment.status.in_(OPEN))
    for payment in session().scalars(query):
        payments.release(payment.id)
        sellers.lock_profile()
    session().refresh(left)
    if left.status != "incomplete":
        raise Conflict(
            _("An earlier payment for this went through after all."),
            fix=_("Look at your plan under Billing."),
        )
    for invoice in session().scalars(select(Invoice).where(Invoice.subscription_id == left.id)):
        if invoice.status == "draft":
            invoice.status = "void"
    subscriptions.end(left)


def clear_abandoned() -> int:
    """End purchases that nobody finished within a day, so that what they hold (a coupon's last use) is free again."""
    query = select(Subscription.id).where(
        Subscription.status == "incomplete", Subscription.created_at < clock.now() - ABANDONED
    )
    cleared = 0
    for subscription_id in session().scalars(query).all():
        sellers.lock_profile()
        of = subscriptions.subscription(subscription_id, lock=True)
        if of.status != "incomplete" or _building(of):
            continue
        try:
            _drop(of)
        except Conflict:  # its payment went through after all
            continue
        cleared += 1
    return cleared


def _building(of: Subscription) -> bool:
    """Its service is being built, or its payment may still come: it is nobody's to clear away."""
    busy = select(Checkout.id).where(Checkout.subscription_id == of.id, Checkout.status == "building")
    return session().scalar(busy.limit(1)) is not None
