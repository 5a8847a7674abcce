"""Attempts to pay. Saved and committed first, then the gateway is called, then settled: each once.

A lost answer is asked for again with the same key. What an answer means is `settlement`'s.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.billing.models import Checkout, Invoice, Payment, PaymentMethod
from chom_core.billing.service.invoicing import invoices
from chom_core.billing.service.paying import gateways, owners
from chom_core.billing.service.paying.settlement import locked, settle, settled
from chom_core.database import clock, restart, session
from chom_core.values.billing import FollowUp, Gateway, PaymentRequest, PaymentResult
from chom_core.values.errors import Conflict
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.work import enqueue

__all__ = [
    "RESOLVE", "begin", "begin_top_up", "capture", "locked", "never_tried", "refetch", "release", "resolve", "send",
    "settle", "settled",
]  # fmt: skip

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

    The amount is what is due now, less the credit a draft will use. The caller holds the profile's lock. Conflict
    where another attempt may still become money, or where nothing is due.
    """
    key = f"invoice/{invoice.id}/{attempt}"
    known = session().scalar(select(Payment).where(Payment.key == key))
    if known is not None:
        return known
    invoices.nothing_on_its_way(invoice)
    amount = invoices.to_charge(invoice)
    if not amount:
        raise Conflict(_("Nothing is due."), fix=_("Reload the page."))
    return _begin(
        amount, method, key, invoice_id=invoice.id, checkout_id=checkout.id if checkout else None, intent=intent,
        off_session=off_session, return_url=return_url,
    )  # fmt: skip


def begin_top_up(
    amount: Money, method: PaymentMethod, key: str, *, return_url: str = "", off_session: bool = False
) -> Payment:
    """The row of a top-up, not yet sent. The same key is the same payment; Conflict where it was for another sum.

    The caller holds the profile's lock.
    """
    key = f"top-up/{key}"
    known = session().scalar(select(Payment).where(Payment.key == key))
    if known is None:
        return _begin(
            amount, method, key, purpose="top_up", intent="charge", off_session=off_session, return_url=return_url
        )  # fmt: skip
    if (known.amount, known.currency, known.method_id) != (amount.amount, amount.currency, method.id):
        raise Conflict(
            _("This top-up was for another amount or card."), fix=_("Reload the page and try again.")
        )
    return known


def _begin(amount: Money, method: PaymentMethod, key: str, *, return_url: str, **facts: Any) -> Payment:
    payment = Payment(
        id=uuid7(), tenant_id=method.tenant_id, key=key, gateway=method.gateway, method_id=method.id,
        amount=amount.amount, currency=amount.currency, **facts,
    )  # fmt: skip
    payment.return_url = return_url.replace("PAYMENT", str(payment.id))
    session().add(payment)
    session().flush()
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


def never_tried(invoice_id: UUID) -> bool:
    """Has nobody tried to pay this invoice yet?"""
    return session().scalar(select(Payment.id).where(Payment.invoice_id == invoice_id).limit(1)) is None


def _request(payment: Payment, method: PaymentMethod) -> PaymentRequest:
    return PaymentRequest(
        key=payment.key,
        amount=Money(payment.amount, payment.currency),
        method=method.reference,
        tenant_id=payment.tenant_id,
        description=f"Invoice {payment.invoice_id}" if payment.invoice_id else "Account credit",
        return_url=payment.return_url,
        off_session=payment.off_session,
        seller=owners.reseller_of(payment),
    )


def _follow(payment: Payment, action: str) -> PaymentResult:
    request = FollowUp(f"{payment.key}/{action}", payment.reference, payment.tenant_id)
    method = session().get_one(PaymentMethod, payment.method_id)

    def act(gateway: Gateway) -> PaymentResult:
        result: PaymentResult = getattr(gateway, action)(request)
        return result

    return gateways.gateway_of(method, payment.currency).call(act)
