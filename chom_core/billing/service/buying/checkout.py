"""Buying: preview, subscribe, order a service, pay. A purchase's id comes with its form, so two clicks are one."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import select

from chom_core.billing.models import Checkout, Invoice, Payment, PaymentMethod
from chom_core.billing.service.buying import allowing, building, purchases
from chom_core.billing.service.buying.purchases import Click
from chom_core.billing.service.invoicing import invoices, sellers
from chom_core.billing.service.offers import catalogue, coupons, discounts
from chom_core.billing.service.paying import methods, payments, settlement
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import restart, session
from chom_core.values.billing import Bill, Order, PlanShape
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.values.ids import uuid7
from chom_core.values.money import Money

State = Literal["done", "building", "action", "declined", "pending", "failed"]


class Outcome(Struct, frozen=True):
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


def preview(order: Order) -> Bill:
    """The first invoice of `order`, to the cent, without writing it. Raises Invalid for a code that does not count."""
    plan, unit = purchases.priced(order)
    of = subscriptions.draft(
        plan, unit, order.period, order.quantity, purchases.title(plan, order), sellers.seller().id
    )
    charges = subscriptions.first_charges(of)
    extra = []
    if order.promotion_code.strip():
        extra = [coupons.offered(order.promotion_code, plan.code, order.currency, of.id)]
    return invoices.rate(order.currency, charges, None, discounts.reductions(charges, extra, held=False))


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
    if invoice.status not in ("open", "uncollectible"):
        raise Conflict(_("This invoice is %(status)s.", status=invoice.status), fix=_("Reload the page."))
    method = methods.method(method_id)
    payment = payments.begin(invoice, method, f"person-{click_attempt}", return_url=return_url)
    return _outcome(payments.send(payment.id))


def checkout(checkout_id: UUID) -> Checkout:
    """A purchase of the organisation; NotFound otherwise."""
    found = session().get(Checkout, checkout_id, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such purchase."), fix=_("Choose a plan on the prices page."))
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
    plan, _unit = purchases.priced(order)
    if plan.shape != shape.value:
        raise Invalid(
            _("%(title)s is no %(shape)s plan.", title=plan.title, shape=shape.value),
            fix=_("Choose another plan."),
        )
    purchase = purchases.record(order, click)
    if purchase.status in ("building", "done", "failed"):
        return outcome(purchase.id)
    invoice = purchases.prepare(purchase, order, plan)
    _same_amount(click.expected, Money(invoice.total, invoice.currency))
    kind = "service" if shape is PlanShape.SERVICE else "plan"
    allowing.ask(purchases.title(plan, order), Money(invoice.subtotal, invoice.currency), kind=kind)
    if shape is PlanShape.SERVICE:
        _rehearse(purchase)
    purchase.status = "paying"
    if not invoices.to_charge(invoice):  # nothing, or the customer's credit pays it
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
        raise Invalid(_("How do you want to pay?"), fields={"method": [_("Choose a card, or enter one.")]})
    return methods.add_method(currency, click.card, click.card_url)


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
            _(
                "The amount is %(actual)s now, not %(expected)s.",
                actual=actual.format(),
                expected=expected.format(),
            ),
            fix=_("Nothing was charged. Check the new amount and press Pay again."),
        )


def _free(purchase: Checkout, invoice: Invoice, shape: PlanShape) -> Outcome:
    """Nothing to pay: finalised and paid at once. A service is built and owes nothing."""
    invoices.finalise(invoice)
    settlement.settled(invoice, purchase)
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
