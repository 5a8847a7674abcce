"""Disputes: a bank takes a payment back. The money is away while the bank decides, then it returns or is lost.

The customer's invoice stays paid: whether a lost dispute is demanded again is staff's decision, not the ledger's.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from sqlalchemy import select

from chom_core.billing import ledger
from chom_core.billing.models import Invoice, LedgerTransaction, Payment
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying import payments
from chom_core.database import session
from chom_core.values.errors import Invalid
from chom_core.values.money import Money
from chom_core.work import emit

State = Literal["open", "won", "lost"]


def disputed(payment_id: UUID, reference: str, amount: Money, state: State) -> None:
    """Post how a dispute stands. Any order, any number of times: each of its two steps is posted once.

    `reference` is the dispute's at the gateway; `amount` what the bank took. Raises NotFound, Invalid.
    """
    payment = payments.locked(payment_id)
    if amount.currency != payment.currency or not 0 < amount.amount <= payment.amount:
        raise Invalid("A dispute takes back no more than was paid, in its currency.")
    last = f"dispute:{reference}:{'opened' if state == 'open' else 'closed'}"
    if session().scalar(select(LedgerTransaction.id).where(LedgerTransaction.key == last)):
        return
    seller, source = _seller_id(payment), f"payment:{payment.id}"
    ledger.post(
        f"dispute:{reference}:opened", "dispute", [("disputes", amount), ("cash", -amount)],
        seller_id=seller, source=source, description="A bank took the money back while it decides",
    )  # fmt: skip
    if state != "open":
        back = "cash" if state == "won" else "write_off"
        ledger.post(
            last, "dispute", [(back, amount), ("disputes", -amount)],
            seller_id=seller, source=source, description=f"The dispute was {state}",
        )  # fmt: skip
    emit(
        f"dispute.{state}",
        subject=f"dispute:{reference}",
        payload={"payment_id": str(payment.id), "amount": amount.amount, "currency": amount.currency},
    )


def _seller_id(payment: Payment) -> UUID:
    if payment.invoice_id is not None:
        return session().get_one(Invoice, payment.invoice_id).seller_id
    return sellers.seller().id
