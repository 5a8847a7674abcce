"""Refunds: cash back to the card of a payment. Saved first, sent by a job, settled once.

Never above what the payment brought, all refunds together. Where account credit stands for the money (a top-up, an
overpayment, a credit note), the refund takes that credit; credit already spent cannot also be refunded in cash. What
is refunded beyond it, without a credit note, re-opens the debt.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select

from chom_core import database
from chom_core.audit.service import Subject, record
from chom_core.billing import ledger
from chom_core.billing.models import (
    CreditGrant,
    CreditNote,
    CreditUse,
    Invoice,
    Payment,
    PaymentMethod,
    Refund,
)
from chom_core.billing.service.credit import grants
from chom_core.billing.service.invoicing import invoices, sellers
from chom_core.billing.service.paying import disputes, gateways, owners, payments, settlement
from chom_core.database import clock, restart, session
from chom_core.values.billing import FollowUp, PaymentResult, PaymentStatus
from chom_core.values.errors import ChomError, Conflict, Invalid, NotFound, Unavailable
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.work import emit, enqueue

SEND = "billing.send_refund"
ASK_AGAIN = timedelta(hours=1)
#: Not failed: counts against what may still be refunded.
LIVE = ("created", "pending", "succeeded")
MOVING = ("created", "pending")


def refund(payment_id: UUID, money: Money, reason: str, key: str) -> Refund:
    """Give `money` of a payment back to its card. A job sends it; the same key again is the same refund. Audited.

    Raises NotFound, Invalid (`amount`: more than may go back, wrong currency), Conflict (not paid; the key had other
    facts).
    """
    sellers.lock_profile()
    grants.money_in(money)
    reason, key = grants.words_in(reason, "reason", 300), grants.words_in(key, "key", 120)
    known = session().scalar(select(Refund).where(Refund.key == key))
    if known is not None:
        if (known.payment_id, known.amount, known.currency) != (payment_id, money.amount, money.currency):
            raise Conflict(_("This key was used for another refund."), fix=_("Nothing was refunded."))
        return known
    payment = payments.locked(payment_id)
    made = begin(payment, money, reason, key, grants.standing_for(payment.id, payment.invoice_id))
    record("payment.refunded", Subject("payment", payment.id, money.format()), reason=reason)
    return made


def begin(
    payment: Payment,
    money: Money,
    reason: str,
    key: str,
    credit: list[CreditGrant],
    *,
    credit_note_id: UUID | None = None,
) -> Refund:
    """The refund's row, its money reserved: `credit` is taken first; what it does not cover re-opens the debt."""
    _may(payment, money)
    from_credit = min(money, _left(credit, money.currency))
    reopened = money - from_credit
    if reopened > (most := _reopenable(payment)):
        raise Invalid(
            _("At most %(most)s of this payment can go back in cash.", most=(from_credit + most).format()),
            fix=_("The credit that stood for the rest is already used."),
            fields={"amount": [_("More than what is left of it.")]},
        )
    made = Refund(
        id=uuid7(), tenant_id=payment.tenant_id, seller_id=owners.seller_id(payment), payment_id=payment.id, key=key,
        credit_note_id=credit_note_id, amount=money.amount, currency=money.currency, reason=reason,
        from_credit=from_credit.amount, reopened=reopened.amount,
    )  # fmt: skip
    session().add(made)
    payment.amount_refunded += money.amount
    session().flush()
    grants.take_up_to(credit, from_credit, "refund", refund_id=made.id)
    if from_credit:
        _post(
            made,
            "begun",
            "refund begun",
            [("customer_credit", from_credit), ("refund_clearing", -from_credit)],
        )
    enqueue(SEND, {"refund_id": str(made.id)}, key=f"{SEND}:{made.id}")
    return made


def _may(payment: Payment, money: Money) -> None:
    if payment.status != "succeeded":
        raise Conflict(
            _("This payment is %(status)s: there is nothing to give back.", status=payment.status),
            fix=_("Reload the page."),
        )
    if payment.currency != money.currency:
        raise Invalid(
            _("The payment has another currency."),
            fields={"amount": [_("In %(currency)s.", currency=payment.currency)]},
        )
    left = refundable(payment)
    if money > left:
        raise Invalid(
            _("At most %(left)s of this payment is left.", left=left.format()),
            fix=_("What a bank took back, or still decides about, cannot be refunded.")
            if disputes.taken_by_banks(payment)
            else "",
            fields={"amount": [_("More than what is left of it.")]},
        )


def refundable(payment: Payment) -> Money:
    """What of a payment has not gone back yet, by a refund or a bank: the most a refund can be."""
    if payment.status != "succeeded":
        return Money.zero(payment.currency)
    left = Money(payment.amount - payment.amount_refunded, payment.currency)
    return max(left - disputes.taken_by_banks(payment), Money.zero(payment.currency))


def _reopenable(payment: Payment) -> Money:
    """What could go back as a debt that opens again: paid towards the invoice, and not given back by credit notes."""
    if payment.invoice_id is None:
        return Money.zero(payment.currency)
    invoice = session().get_one(Invoice, payment.invoice_id)
    mine = payment.amount_applied - _reopened(Refund.payment_id == payment.id, LIVE)
    return min(Money(mine, payment.currency), backing(invoice))


def backing(invoice: Invoice) -> Money:
    """The money that stands for an invoice's sale: paid, less what credit notes gave back and refunds on their way."""
    noted = session().scalar(
        select(func.coalesce(func.sum(CreditNote.to_refund + CreditNote.to_account), 0)).where(
            CreditNote.invoice_id == invoice.id
        )
    )
    of_invoice = Refund.payment_id.in_(select(Payment.id).where(Payment.invoice_id == invoice.id))
    moving = _reopened(of_invoice, MOVING)
    return Money(invoice.amount_paid - int(noted or 0) - moving, invoice.currency)


def _reopened(which: ColumnElement[bool], states: tuple[str, ...]) -> int:
    query = select(func.coalesce(func.sum(Refund.reopened), 0)).where(which, Refund.status.in_(states))
    return int(session().scalar(query) or 0)


def _left(credit: list[CreditGrant], currency: str) -> Money:
    return sum((Money(grant.remaining, grant.currency) for grant in credit), start=Money.zero(currency))


def send(refund_id: UUID) -> Refund:
    """Send a refund to the gateway and settle it. Safe to repeat: its key makes it one. Raises Unavailable.

    Commits before the call. A gateway's definite no is a failed refund: its credit is the customer's again.
    """
    made = locked(refund_id)
    if made.status not in MOVING:
        return made
    payment = session().get_one(Payment, made.payment_id)
    method = session().get_one(PaymentMethod, payment.method_id)
    bound = gateways.gateway_of(method, payment.currency)
    asked = FollowUp(
        f"refund/{made.id}", payment.reference, made.tenant_id, Money(made.amount, made.currency), made.reason
    )
    try:
        result = bound.call(lambda gateway: gateway.refund(asked))
    except Unavailable:
        raise
    except ChomError as no:
        result = PaymentResult(PaymentStatus.DECLINED, code=no.code, message=no.detail, fix=no.fix)
    made = settle(refund_id, result)
    if made.status == "pending":
        enqueue(SEND, {"refund_id": str(made.id)}, due_at=clock.now() + ASK_AGAIN)
    restart()
    return made


def settle(refund_id: UUID, result: PaymentResult) -> Refund:
    """Write down what the gateway says of a refund, once: one that is settled already stays as it is."""
    sellers.lock_profile()
    made = locked(refund_id)
    if made.status not in MOVING:
        return made
    made.code, made.message = result.code, result.message[:300]
    payment = payments.locked(made.payment_id)
    if result.status is PaymentStatus.SUCCEEDED:
        _succeeded(made, payment)
    elif result.status in (PaymentStatus.DECLINED, PaymentStatus.CANCELLED):
        _failed(made, payment)
    else:
        made.status = "pending"
    session().flush()
    return made


def _succeeded(made: Refund, payment: Payment) -> None:
    made.status, made.settled_at = "succeeded", clock.now()
    whole, credit, again = (
        Money(cents, made.currency) for cents in (made.amount, made.from_credit, made.reopened)
    )
    if payment.invoice_id is not None:
        invoice = invoices.locked(payment.invoice_id)
        invoice.amount_refunded += made.amount
        if again:
            invoices.recover(invoice)
    _post(made, "sent", "refund", [("refund_clearing", credit), ("receivable", again), ("cash", -whole)])
    if payment.invoice_id is not None and again:
        invoice.amount_paid -= made.reopened
        session().flush()
        invoices.reopen(invoice)
    emit("payment.refunded", subject=f"payment:{payment.id}", payload=_facts(made, payment))


def _failed(made: Refund, payment: Payment) -> None:
    """Nothing went back: what was reserved is free again, and credit that was taken is the customer's."""
    made.status, made.settled_at = "failed", clock.now()
    payment.amount_refunded -= made.amount
    credit = Money(made.from_credit, made.currency)
    if credit:
        _post(made, "failed", "refund failed", [("refund_clearing", credit), ("customer_credit", -credit)])
        uses = select(CreditUse).where(CreditUse.refund_id == made.id, CreditUse.kind == "refund")
        for use in session().scalars(uses).all():
            grant = database.locked(CreditGrant, use.grant_id, NotFound(_("There is no such credit.")))
            grants.take(grant, Money(-use.amount, use.currency), "refund_failed", refund_id=made.id)
    emit("refund.failed", subject=f"payment:{payment.id}", payload=_facts(made, payment))
    if credit:
        disputes.claim()
        settlement.pay_open_by_credit()


def _post(made: Refund, step: str, kind: str, postings: list[tuple[str, Money]]) -> None:
    ledger.post(
        f"refund:{made.id}:{step}", kind, postings, seller_id=made.seller_id, source=f"refund:{made.id}",
        description=made.reason,
    )  # fmt: skip


def _facts(made: Refund, payment: Payment) -> dict[str, Any]:
    return {
        "refund_id": str(made.id), "payment_id": str(payment.id), "amount": made.amount, "currency": made.currency,
        "invoice_id": str(payment.invoice_id) if payment.invoice_id else None, "from_credit": made.from_credit,
        "reopened": made.reopened, "credit_note_id": str(made.credit_note_id) if made.credit_note_id else None,
        "message": made.message,
    }  # fmt: skip


def locked(refund_id: UUID) -> Refund:
    """The refund with its row locked and read afresh; NotFound where it is not this organisation's."""
    return database.locked(Refund, refund_id, NotFound(_("There is no such refund.")))
