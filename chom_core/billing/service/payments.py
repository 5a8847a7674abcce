"""Attempts to pay. Saved and committed first, then the gateway is called, then settled: each once.

Lock order everywhere: billing profile, payment, invoice. A lost answer is asked for again with the same key.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from chom_core.billing.models import Checkout, Invoice, Payment, PaymentMethod, Subscription
from chom_core.billing.models.payments import OPEN
from chom_core.billing.service import building, gateways, invoices, methods, sellers, subscriptions
from chom_core.database import clock, restart, session
from chom_core.values.billing import FollowUp, Gateway, PaymentRequest, PaymentResult, PaymentStatus
from chom_core.values.errors import Conflict, NotFound
from chom_core.values.money import Money
from chom_core.work import emit, enqueue

RESOLVE = "billing.resolve_payment"
#: When an attempt without an answer is asked about again, and when a person has waited too long at the bank.
ASK_AGAIN, GIVE_UP = timedelta(minutes=2), timedelta(hours=24)


def begin(
    invoice: Invoice,
    method: PaymentMethod,
    attempt: str,
    *,
    intent: str = "charge",
    checkout: Checkout | None = None,
    return_url: str = "",
    off_session: bool = False,
) -> Payment:
    """The attempt's row, not yet sent. The same invoice and `attempt` again is the same payment.

    The caller holds the profile's lock. Conflict where another attempt may still become money.
    """
    key = f"invoice/{invoice.id}/{attempt}"
    known = session().scalar(select(Payment).where(Payment.key == key))
    if known is not None:
        return known
    if session().scalar(select(Payment.id).where(Payment.invoice_id == invoice.id, Payment.status.in_(OPEN))):
        raise Conflict(
            "A payment for this is already on its way.", fix="Wait a moment, then reload the page."
        )
    payment = Payment(
        tenant_id=invoice.tenant_id, invoice_id=invoice.id, checkout_id=checkout.id if checkout else None, key=key,
        gateway=method.gateway, method_id=method.id, intent=intent, off_session=off_session, return_url=return_url,
        amount=invoice.total - invoice.amount_paid, currency=invoice.currency,
    )  # fmt: skip
    session().add(payment)
    session().flush()
    payment.return_url = return_url.replace("PAYMENT", str(payment.id))
    enqueue(RESOLVE, {"payment_id": str(payment.id)}, due_at=clock.now() + ASK_AGAIN)
    return payment


def send(payment_id: UUID) -> Payment:
    """Send the attempt to its gateway, settle it, and commit. Safe to repeat: the key makes it one charge."""
    payment = locked(payment_id)
    if payment.status == "created":
        method = session().get_one(PaymentMethod, payment.method_id)
        bound = gateways.gateway_of(method, payment.currency)
        request = _request(payment, method)
        authorise = payment.intent == "authorise"
        result = bound.call(lambda g: g.authorise(request) if authorise else g.charge(request))
        payment = settle(payment_id, result)
    restart()
    return payment


def refetch(payment_id: UUID) -> Payment:
    """Ask the gateway how an open attempt stands, settle it, and commit."""
    payment = locked(payment_id)
    if payment.status == "created":
        return send(payment_id)
    if payment.status in ("requires_action", "pending"):
        payment = settle(payment_id, _follow(payment, "confirm"))
    restart()
    return payment


def capture(payment_id: UUID) -> Payment:
    """Take the money that was held for a service which now stands."""
    payment = locked(payment_id)
    return settle(payment_id, _follow(payment, "capture")) if payment.status == "authorised" else payment


def release(payment_id: UUID) -> Payment:
    """Let an attempt go that will not be needed: the hold of a service that was not built, an abandoned bank page."""
    payment = locked(payment_id)
    if payment.status == "created":
        payment = send(payment_id)
    if payment.status in ("authorised", "requires_action", "pending"):
        payment = settle(payment_id, _follow(payment, "cancel"))
    return payment


def resolve(payment_id: UUID) -> None:
    """The safety net: an attempt that nobody finished is asked about until it is settled, or given up."""
    payment = locked(payment_id)
    if payment.status in ("created", "requires_action", "pending"):
        payment = refetch(payment_id)
    if payment.status == "requires_action" and clock.now() - payment.created_at >= GIVE_UP:
        payment = release(payment_id)
    if payment.status in ("requires_action", "pending"):
        enqueue(RESOLVE, {"payment_id": str(payment_id)}, due_at=clock.now() + timedelta(hours=1))


def settle(payment_id: UUID, result: PaymentResult) -> Payment:
    """Write down what the gateway answered, once: an attempt that is settled already stays as it is."""
    sellers.lock_profile()
    payment = locked(payment_id)
    if payment.status not in OPEN:
        return payment
    payment.reference = result.reference or payment.reference
    payment.url, payment.code = result.url, result.code
    payment.message, payment.fix = result.message[:300], result.fix[:300]
    was, payment.status = payment.status, result.status.value
    if result.status in (PaymentStatus.SUCCEEDED, PaymentStatus.DECLINED, PaymentStatus.CANCELLED):
        payment.settled_at = clock.now()
    invoice = invoices.locked(payment.invoice_id)
    checkout = _checkout(payment)
    if result.status is PaymentStatus.SUCCEEDED:
        _succeeded(payment, invoice, checkout)
    elif result.status is PaymentStatus.AUTHORISED and was != "authorised":
        if checkout is not None:
            building.begin(checkout)
    elif result.status is PaymentStatus.DECLINED:
        _declined(payment, invoice, checkout, held=was == "authorised")
    elif result.status is PaymentStatus.CANCELLED and checkout is not None and checkout.status == "paying":
        checkout.status = "open"
    session().flush()
    return payment


def _succeeded(payment: Payment, invoice: Invoice, checkout: Checkout | None) -> None:
    """Money came in. The invoice's number is taken last, when all else is written."""
    fresh = invoice.status == "draft"
    if fresh:
        invoices.finalise(invoice)
    method = session().get_one(PaymentMethod, payment.method_id)
    methods.paid_with(method)
    words = f"{method.brand} ending in {method.last4}"
    invoices.paid(
        invoice, Money(payment.amount, payment.currency), key=f"payment:{payment.id}", description=words
    )
    settled(invoice, checkout)
    if fresh:
        invoices.number(invoice)


def settled(invoice: Invoice, checkout: Checkout | None) -> None:
    """What a paid invoice sets free: the subscription lives, the purchase is done."""
    if invoice.subscription_id is not None:
        subscriptions.activate(session().get_one(Subscription, invoice.subscription_id))
    if checkout is not None:
        checkout.status = "done"
    session().flush()


def _declined(payment: Payment, invoice: Invoice, checkout: Checkout | None, *, held: bool) -> None:
    emit(
        "payment.failed",
        subject=f"invoice:{invoice.id}",
        payload={"payment_id": str(payment.id), "invoice_id": str(invoice.id), "code": payment.code,
                 "message": payment.message, "off_session": payment.off_session},
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


def never_tried(invoice_id: UUID) -> bool:
    """Has nobody tried to pay this invoice yet?"""
    return session().scalar(select(Payment.id).where(Payment.invoice_id == invoice_id).limit(1)) is None


def locked(payment_id: UUID) -> Payment:
    """The attempt with its row locked and read afresh; NotFound where it is not this organisation's."""
    query = select(Payment).where(Payment.id == payment_id).with_for_update()
    found = session().scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("There is no such payment.")
    return found


def _checkout(payment: Payment) -> Checkout | None:
    return (
        session().get(Checkout, payment.checkout_id, populate_existing=True) if payment.checkout_id else None
    )


def _request(payment: Payment, method: PaymentMethod) -> PaymentRequest:
    return PaymentRequest(
        key=payment.key,
        amount=Money(payment.amount, payment.currency),
        method=method.reference,
        tenant_id=payment.tenant_id,
        description=f"Invoice {payment.invoice_id}",
        return_url=payment.return_url,
        off_session=payment.off_session,
    )


def _follow(payment: Payment, action: str) -> PaymentResult:
    request = FollowUp(f"{payment.key}/{action}", payment.reference, payment.tenant_id)
    method = session().get_one(PaymentMethod, payment.method_id)

    def act(gateway: Gateway) -> PaymentResult:
        result: PaymentResult = getattr(gateway, action)(request)
        return result

    return gateways.gateway_of(method, payment.currency).call(act)
