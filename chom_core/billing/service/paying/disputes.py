"""Disputes: a bank takes a payment back. The money is away while the bank decides, then it returns or is lost.

Account credit that stands for the money is held meanwhile, as far as it is not spent: it is the customer's again when
the dispute is won, and gone when it is lost. The customer's invoice stays paid: whether what a lost dispute took is
demanded again is staff's decision, not the ledger's.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from sqlalchemy import func, select

from chom_core import database
from chom_core.billing import ledger
from chom_core.billing.models import (
    CreditGrant,
    CreditUse,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Payment,
)
from chom_core.billing.service.credit import grants
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying import payments, settlement
from chom_core.database import session
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.values.money import Money
from chom_core.work import emit

State = Literal["open", "won", "lost"]
Postings = list[tuple[str, Money]]


def disputed(payment_id: UUID, reference: str, amount: Money, state: State) -> None:
    """Post how a dispute stands. Any order, any number of times: each of its two steps is posted once.

    `reference` is the dispute's at the gateway; `amount` what the bank took. Raises NotFound, Invalid, and Conflict
    where the payment is not known to have succeeded: look at it first (`recheck_payment`).
    """
    sellers.lock_profile()
    payment = payments.locked(payment_id)
    if amount.currency != payment.currency or not 0 < amount.amount <= payment.amount:
        raise Invalid("A dispute takes back no more than was paid, in its currency.")
    if payment.status != "succeeded":
        raise Conflict(f"This payment is {payment.status}.", fix="Ask the gateway how it stands first.")
    if not _posted(reference, "opened"):
        _open(payment, reference, amount)
    elif state == "open":
        return
    if state != "open":
        if _posted(reference, "closed"):
            return
        _close(payment, reference, amount, state)
    emit(
        f"dispute.{state}",
        subject=f"dispute:{reference}",
        payload={"payment_id": str(payment.id), "amount": amount.amount, "currency": amount.currency},
    )


def taken_by_banks(payment: Payment) -> Money:
    """What of a payment banks have taken back and not returned: it cannot be refunded as well."""
    query = (
        select(func.coalesce(func.sum(LedgerEntry.amount), 0))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(
            LedgerTransaction.source == f"payment:{payment.id}", LedgerTransaction.kind == "dispute",
            LedgerAccount.code == "cash",
        )
    )  # fmt: skip
    return Money(-int(session().scalar(query) or 0), payment.currency)


def _posted(reference: str, step: str) -> bool:
    query = select(LedgerTransaction.id).where(LedgerTransaction.key == f"dispute:{reference}:{step}")
    return session().scalar(query) is not None


def _open(payment: Payment, reference: str, amount: Money) -> None:
    words = "A bank took the money back while it decides"
    _post(payment, reference, "opened", [("disputes", amount), ("cash", -amount)], words)
    held = Money.zero(amount.currency)
    for grant in grants.standing_for(payment.id, payment.invoice_id):
        some = min(Money(grant.remaining, grant.currency), amount - held)
        if some:
            grants.take(grant, some, "held", dispute=reference)
            held = held + some
    if held:
        words = "Credit held while a bank decides"
        _post(payment, reference, "held", [("customer_credit", held), ("dispute_hold", -held)], words)


def _close(payment: Payment, reference: str, amount: Money, state: State) -> None:
    back = "cash" if state == "won" else "write_off"
    _post(
        payment, reference, "closed", [(back, amount), ("disputes", -amount)], f"The dispute was {state}"
    )  # fmt: skip
    held = _release(reference, amount.currency, lost=state == "lost")
    if not held:
        return
    if state == "lost":
        words = "Credit taken: its money went back by the bank"
        _post(payment, reference, "taken", [("dispute_hold", held), ("write_off", -held)], words)
        return
    words = "Credit is free again"
    _post(payment, reference, "released", [("dispute_hold", held), ("customer_credit", -held)], words)
    settlement.pay_open_by_credit()


def _release(reference: str, currency: str, *, lost: bool) -> Money:
    """Give what was held back to its grants; where the dispute is lost it is taken for good. How much it was."""
    held = Money.zero(currency)
    uses = select(CreditUse).where(CreditUse.dispute == reference, CreditUse.kind == "held")
    for use in session().scalars(uses.order_by(CreditUse.id)).all():
        grant = database.locked(CreditGrant, use.grant_id, NotFound("There is no such credit."))
        some = Money(use.amount, use.currency)
        grants.take(grant, -some, "released", dispute=reference)
        if lost:
            grants.take(grant, some, "charged_back", dispute=reference)
        held = held + some
    return held


def _post(payment: Payment, reference: str, step: str, postings: Postings, words: str) -> None:
    ledger.post(
        f"dispute:{reference}:{step}", "dispute", postings, seller_id=payments.seller_id(payment),
        source=f"payment:{payment.id}", description=words,
    )  # fmt: skip
