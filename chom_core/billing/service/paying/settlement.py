"""What a gateway's answer means: for the attempt, its invoice, its purchase, the customer's credit. Each once.

Lock order everywhere: billing profile, payment, invoice, credit.
"""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import exists, select

from chom_core import database
from chom_core.billing.models import Checkout, Invoice, Payment, PaymentMethod, Subscription
from chom_core.billing.models.payments import OPEN
from chom_core.billing.service.buying import building
from chom_core.billing.service.credit import grants
from chom_core.billing.service.invoicing import invoices, sellers
from chom_core.billing.service.paying import fees, methods
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import clock, session
from chom_core.values.billing import PaymentResult, PaymentStatus
from chom_core.values.errors import NotFound
from chom_core.values.money import Money
from chom_core.work import emit

_FINAL = (PaymentStatus.SUCCEEDED, PaymentStatus.DECLINED, PaymentStatus.CANCELLED)


def settle(payment_id: UUID, result: PaymentResult) -> Payment:
    """Write down what the gateway answered, once: an attempt that is settled already stays as it is."""
    sellers.lock_profile()
    payment = locked(payment_id)
    if payment.status not in OPEN:
        return payment
    payment.reference = result.reference or payment.reference
    payment.url, payment.code = result.url, result.code
    payment.message, payment.fix = result.message[:300], result.fix[:300]
    payment.direct = payment.direct or result.direct
    was, payment.status = payment.status, result.status.value
    if result.status in _FINAL:
        payment.settled_at = clock.now()
    if payment.status == "succeeded" and result.fee is not None:
        fees.heard(payment, result.fee)  # before the invoice's number, which is taken last
    if payment.invoice_id is None:
        _topped_up(payment)
    else:
        _of_invoice(payment, invoices.locked(payment.invoice_id), was, result.status)
    session().flush()
    return payment


def locked(payment_id: UUID) -> Payment:
    """The attempt with its row locked and read afresh; NotFound where it is not this organisation's."""
    return database.locked(Payment, payment_id, NotFound(_("There is no such payment.")))


def _of_invoice(payment: Payment, invoice: Invoice, was: str, now: PaymentStatus) -> None:
    checkout = _checkout(payment)
    if now is PaymentStatus.SUCCEEDED:
        _succeeded(payment, invoice, checkout)
    elif now is PaymentStatus.AUTHORISED and was != "authorised":
        if checkout is not None:
            building.begin(checkout)
    elif now is PaymentStatus.DECLINED:
        _declined(payment, invoice, checkout, held=was == "authorised")
    elif now is PaymentStatus.CANCELLED and checkout is not None and checkout.status == "paying":
        checkout.status = "open"
    if now in (PaymentStatus.DECLINED, PaymentStatus.CANCELLED):
        session().flush()
        pay_open_by_credit()  # credit that came in while the attempt ran left this invoice alone


def _succeeded(payment: Payment, invoice: Invoice, checkout: Checkout | None) -> None:
    """Money came in. What is more than is due becomes account credit. The invoice's number is taken last."""
    fresh = invoice.status == "draft"
    money = Money(payment.amount, payment.currency)
    if fresh:
        invoices.finalise(invoice, paying=money)
    words = _words(payment)
    kept = invoices.paid(invoice, money, key=f"payment:{payment.id}", description=words)
    payment.amount_applied = kept.amount
    if kept < money:
        keep_as_credit(payment, money - kept, invoice.seller_id, "Paid more than was due")
    if invoice.status != "void" and (fresh or not invoice.due):
        settled(invoice, checkout)
    if fresh:
        if invoice.due and invoice.subscription_id is not None:  # credit that was counted on went elsewhere
            subscriptions.past_due(session().get_one(Subscription, invoice.subscription_id))
        invoices.number(invoice)


def _topped_up(payment: Payment) -> None:
    """A top-up's answer. Money that came in is account credit at once, and pays what is open."""
    if payment.status == "succeeded":
        money = Money(payment.amount, payment.currency)
        _words(payment)
        grant = keep_as_credit(payment, money, sellers.seller().id, "Top-up")
        emit(
            "credit.topped_up",
            subject=f"payment:{payment.id}",
            payload={"payment_id": str(payment.id), "grant_id": str(grant), "amount": money.amount,
                     "currency": money.currency, "off_session": payment.off_session},
        )  # fmt: skip
        pay_open_by_credit()
    elif payment.status == "declined":
        emit(
            "credit.top_up_failed",
            subject=f"payment:{payment.id}",
            payload={"payment_id": str(payment.id), "code": payment.code, "message": payment.message,
                     "off_session": payment.off_session},
        )  # fmt: skip


def keep_as_credit(payment: Payment, money: Money, seller_id: UUID, reason: str) -> UUID:
    """Money of a payment that no invoice took: account credit, refundable."""
    grant = grants.add(
        "account", money, f"payment:{payment.id}", seller_id=seller_id, against="cash", reason=reason,
        payment_id=payment.id,
    )  # fmt: skip
    return grant.id


def pay_open_by_credit() -> int:
    """Use credit for open invoices, oldest first; returns how many it settled.

    An invoice with an attempt on its way is left alone: its card may be charged any moment.
    """
    trying = exists().where(Payment.invoice_id == Invoice.id, Payment.status.in_(OPEN))
    query = select(Invoice.id).where(Invoice.status == "open", ~trying)
    done = 0
    for invoice_id in session().scalars(query.order_by(Invoice.finalised_at, Invoice.id)).all():
        invoice = invoices.locked(invoice_id)
        if grants.apply(invoice) and invoices.close_if_settled(invoice):
            settled(invoice, None)
            done += 1
    return done


def settled(invoice: Invoice, checkout: Checkout | None) -> None:
    """What a paid invoice sets free: the subscription lives, a change takes effect, the purchase is done."""
    # a change may give back, and credit notes stand on settlements
    from chom_core.billing.service.changes import applying

    for of in subscriptions.of_invoice(invoice):
        if of.status != "cancelled":  # the last invoice of one that has ended may still be paid
            subscriptions.activate(of)
    applying.paid(invoice)
    if checkout is not None:
        checkout.status = "done"
    session().flush()


def _declined(payment: Payment, invoice: Invoice, checkout: Checkout | None, *, held: bool) -> None:
    emit(
        "payment.failed",
        subject=f"invoice:{invoice.id}",
        payload={"payment_id": str(payment.id), "invoice_id": str(invoice.id), "code": payment.code,
                 "message": payment.message, "off_session": payment.off_session,
                 "dunning": held or invoice.status == "open"},
    )  # fmt: skip
    if held:  # the service stands and the hold is gone: it is owed now
        subscription = session().get_one(Subscription, invoice.subscription_id)
        subscriptions.activate(subscription)
        subscriptions.past_due(subscription)
        if checkout is not None:
            checkout.status = "done"
        invoices.finalise(invoice)
        session().flush()
        invoices.number(invoice)
    elif checkout is not None:
        checkout.status = "open"


def _words(payment: Payment) -> str:
    """«Visa ending in 4242», whose card has now paid."""
    method = session().get_one(PaymentMethod, payment.method_id)
    methods.paid_with(method)
    return f"{method.brand} ending in {method.last4}"


def _checkout(payment: Payment) -> Checkout | None:
    return (
        session().get(Checkout, payment.checkout_id, populate_existing=True) if payment.checkout_id else None
    )
