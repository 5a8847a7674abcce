"""Buying: preview, subscribe, order a service, pay. A purchase's id comes with its form, so two clicks are one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chom_core.billing.models import Checkout, Invoice, Payment, PaymentMethod, Plan, Subscription
from chom_core.billing.models.payments import OPEN
from chom_core.billing.service import building, catalogue, invoices, methods, payments, sellers, subscriptions
from chom_core.billing.service.rating import Charge, describe
from chom_core.database import Tenant, clock, current, restart, session
from chom_core.values.billing import Bill, Order, PlanShape
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod, period_at

State = Literal["done", "building", "action", "declined", "pending", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a purchase stands. `url` leads to the second step; `message` and `fix` are for the person."""

    state: State
    checkout_id: UUID | None = None
    invoice_id: UUID | None = None
    service_id: UUID | None = None
    payment_id: UUID | None = None
    url: str = ""
    code: str = ""
    message: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Click:
    """One press of Pay. `checkout_id` and `attempt` come with the form: pressed twice they are the same payment.

    `expected` is the amount on the button. `card` holds the gateway's fields, or `method_id` names a card on file.
    """

    checkout_id: UUID
    attempt: str
    expected: Money
    card: Mapping[str, str] | None = None
    method_id: UUID | None = None
    return_url: str = ""
    settings: Mapping[str, Any] | None = None


def preview(order: Order) -> Bill:
    """The first invoice of `order`, to the cent, without writing it."""
    plan, unit = _price(order)
    now = clock.now()
    tenant = session().get_one(Tenant, current().tenant_id)
    period = period_at(now, order.period, now, tenant.zone)
    title = _title(plan, order)
    kind = "plan" if plan.shape == PlanShape.HOSTING.value else plan.shape
    charge = Charge(plan.code, kind, describe(title, period, order.quantity), unit, order.quantity, period)
    return invoices.rate(order.currency, [charge])


def subscribe(order: Order, click: Click) -> Outcome:
    """Buy a hosting plan: charged at once; a declined card leaves nothing active and nothing granted."""
    return _buy(order, click, PlanShape.HOSTING)


def order_service(order: Order, click: Click) -> Outcome:
    """Buy a service plan: the money is held, the service is built, then charged; no service, no charge."""
    return _buy(order, click, PlanShape.SERVICE)


def buy(order: Order, click: Click) -> Outcome:
    """Buy a plan of either shape. Commits on the way; raises Invalid (fields), Conflict, NotFound, Unavailable."""
    return _buy(order, click, PlanShape(catalogue.plan(order.plan).shape))


def confirm(payment_id: UUID) -> Outcome:
    """The person came back from the second step: ask the gateway, then go on as after any answer."""
    return _outcome(payments.refetch(payment_id))


def pay_invoice(invoice_id: UUID, click_attempt: str, method_id: UUID, return_url: str = "") -> Outcome:
    """Pay an open invoice with a card on file, while the person is there."""
    sellers.lock_profile()
    invoice = invoices.locked(invoice_id)
    if invoice.status != "open":
        raise Conflict(f"This invoice is {invoice.status}.", fix="Reload the page.")
    method = methods.method(method_id)
    payment = payments.begin(invoice, method, f"person-{click_attempt}", return_url=return_url)
    return _outcome(payments.send(payment.id))


def checkout(checkout_id: UUID) -> Checkout:
    """A purchase of the organisation; NotFound otherwise."""
    found = session().get(Checkout, checkout_id, populate_existing=True)
    if found is None:
        raise NotFound("There is no such purchase.", fix="Choose a plan on the prices page.")
    return found


def outcome(checkout_id: UUID) -> Outcome:
    """How a purchase stands now."""
    found = checkout(checkout_id)
    query = select(Payment).where(Payment.checkout_id == found.id).order_by(Payment.id.desc()).limit(1)
    payment = session().scalar(query)
    if payment is not None:
        return _outcome(payment)
    return Outcome(
        "done" if found.status == "done" else "failed", found.id, found.invoice_id, found.service_id
    )


def _buy(order: Order, click: Click, shape: PlanShape) -> Outcome:
    repeated = _repeated(click)
    if repeated is not None:
        return _outcome(payments.send(repeated.id))
    method = _method(order.currency, click)
    sellers.lock_profile()
    repeated = _repeated(click)  # the other press may have been a moment earlier
    if repeated is not None:
        return _outcome(payments.send(repeated.id))
    plan, _unit = _price(order)
    if plan.shape != shape.value:
        raise Invalid(f"{plan.title} is no {shape.value} plan.", fix="Choose another plan.")
    purchase = _purchase(order, click)
    if purchase.status in ("building", "done", "failed"):
        return outcome(purchase.id)
    invoice = _prepare(purchase, order, plan)
    _same_amount(click.expected, Money(invoice.total, invoice.currency))
    if shape is PlanShape.SERVICE:
        _rehearse(purchase)
    purchase.status = "paying"
    if invoice.total == 0:
        return _free(purchase, invoice, shape)
    intent = "authorise" if shape is PlanShape.SERVICE else "charge"
    payment = payments.begin(
        invoice, method, click.attempt, intent=intent, checkout=purchase, return_url=click.return_url
    )
    return _outcome(payments.send(payment.id))


def _repeated(click: Click) -> Payment | None:
    """The payment of an earlier press of the same button."""
    query = select(Payment).where(
        Payment.checkout_id == click.checkout_id, Payment.key.endswith(f"/{click.attempt}", autoescape=True)
    )
    return session().scalar(query)


def _method(currency: str, click: Click) -> PaymentMethod:
    if click.method_id is not None:
        return methods.method(click.method_id)
    if click.card is None:
        raise Invalid("How do you want to pay?", fields={"method": ["Choose a card, or enter one."]})
    return methods.add_method(currency, click.card)


def _price(order: Order) -> tuple[Plan, Money]:
    if order.quantity < 1 or order.quantity > 1000:
        raise Invalid("How many?", fields={"quantity": ["Between 1 and 1000."]})
    plan = catalogue.plan(order.plan)
    if plan.shape == PlanShape.HOSTING.value and order.quantity != 1:
        raise Invalid("An organisation has one hosting plan.", fields={"quantity": ["Only 1."]})
    return plan, catalogue.price(plan, order.currency, BillingPeriod(order.period))


def _title(plan: Plan, order: Order) -> str:
    return f"{plan.title} «{order.service_name}»" if order.service_name else plan.title


def _purchase(order: Order, click: Click) -> Checkout:
    """The purchase's row: made by the first press, found by every other. Locked."""
    tenant_id = current().tenant_id
    values = {
        "plan_code": order.plan, "billing_period": BillingPeriod(order.period).value, "currency": order.currency,
        "quantity": order.quantity, "service_name": order.service_name.strip().lower()[:120],
    }  # fmt: skip
    row = insert(Checkout).values(
        id=click.checkout_id, created_at=clock.now(), tenant_id=tenant_id, status="open", amount=0, note="",
        service_settings=dict(click.settings or {}), **values,
    )  # fmt: skip
    session().execute(row.on_conflict_do_nothing(index_elements=["id"]))
    query = select(Checkout).where(Checkout.id == click.checkout_id).with_for_update()
    found = session().scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("There is no such purchase.", fix="Start again from the prices page.")
    if found.status == "open":  # an attempt was declined, and the form may say something else now
        for name, value in values.items():
            setattr(found, name, value)
        found.service_settings = dict(click.settings or {})
    return found


def _prepare(purchase: Checkout, order: Order, plan: Plan) -> Invoice:
    """Incomplete subscription and draft invoice, made anew for every attempt but one that is still on its way."""
    _clear_the_way(purchase, plan)
    seller = sellers.seller()
    unit = catalogue.price(plan, order.currency, BillingPeriod(order.period))
    subscription = subscriptions.begin(
        plan, unit, BillingPeriod(order.period), order.quantity, _title(plan, order), seller.id
    )
    period = subscriptions.current_period(subscription)
    bill = invoices.rate(order.currency, subscriptions.charges(subscription, period))
    invoice = invoices.draft(bill, seller=seller, subscription_id=subscription.id, period=period)
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
                f"You already have {living.items[0].title}: an organisation has one hosting plan.",
                fix="Look at it under Billing.",
            )
        left = subscriptions.hosting(any_state=True)
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
            "An earlier payment for this went through after all.", fix="Look at your plan under Billing."
        )
    for invoice in session().scalars(select(Invoice).where(Invoice.subscription_id == left.id)):
        if invoice.status == "draft":
            invoice.status = "void"
    subscriptions.end(left)


def _rehearse(purchase: Checkout) -> None:
    try:
        building.rehearse(purchase)
    except Invalid as wrong:
        names = {"name": "service_name", "title": "service_name"}
        fields = {names.get(key, key): messages for key, messages in wrong.fields.items()}
        raise Invalid(wrong.detail, fix=wrong.fix, fields=fields) from wrong


def _same_amount(expected: Money, actual: Money) -> None:
    if expected != actual:
        raise Conflict(
            f"The amount is {actual.format()} now, not {expected.format()}.",
            fix="Nothing was charged. Check the new amount and press Pay again.",
        )


def _free(purchase: Checkout, invoice: Invoice, shape: PlanShape) -> Outcome:
    """Nothing to pay: finalised and paid at once. A service is built and owes nothing."""
    invoices.finalise(invoice)
    invoices.paid(
        invoice, Money.zero(invoice.currency), key=f"invoice:{invoice.id}", description="Nothing to pay"
    )
    payments.settled(invoice, purchase)
    if shape is PlanShape.SERVICE:
        building.deliver(purchase)
    invoices.number(invoice)
    restart()
    return Outcome("done", purchase.id, invoice.id, purchase.service_id)


def _outcome(payment: Payment) -> Outcome:
    found = (
        session().get(Checkout, payment.checkout_id, populate_existing=True) if payment.checkout_id else None
    )
    states: dict[str, State] = {
        "succeeded": "done",
        "authorised": "building",
        "requires_action": "action",
        "declined": "declined",
        "cancelled": "failed",
    }
    state = states.get(payment.status, "pending")
    if found is not None and found.status == "failed":
        state = "failed"
    return Outcome(
        state=state,
        checkout_id=payment.checkout_id,
        invoice_id=payment.invoice_id,
        service_id=found.service_id if found else None,
        payment_id=payment.id,
        url=payment.url if state == "action" else "",
        code=payment.code,
        message=(found.note if found and state == "failed" else "") or payment.message,
        fix=payment.fix,
    )


def new_id() -> UUID:
    """An id for a purchase that is about to be shown."""
    return uuid7()
