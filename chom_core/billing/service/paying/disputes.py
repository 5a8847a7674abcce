"""Disputes: a bank takes a payment back. The money is away while the bank decides, then it returns or is lost.

Account credit that stands for the money is held meanwhile, also what comes back to it later: it is the customer's again
when the dispute is won, and gone when it is lost, since the bank gave the customer the money. What was spent of it is
the loss. The customer's invoice stays paid: whether that is demanded again is staff's decision, not the ledger's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select

from chom_core import database
from chom_core.billing import ledger
from chom_core.billing.models import CreditGrant, CreditUse, Dispute, Payment
from chom_core.billing.service.credit import grants
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying import owners, payments, settlement
from chom_core.database import clock, here, session
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.work import emit

State = Literal["open", "won", "lost"]
Postings = list[tuple[str, Money]]


def disputed(
    payment_id: UUID,
    reference: str,
    amount: Money,
    state: State,
    *,
    reason: str = "",
    evidence_due: datetime | None = None,
    answered: bool = False,
) -> None:
    """Note how a dispute stands. Any order, any number of times: each of its two steps is posted once.

    `reference` is the dispute's at the gateway; `amount` what the bank took. `reason`: the bank's, in the gateway's
    words; until `evidence_due` it takes an answer; `answered`: the gateway says that it has one. Raises NotFound,
    Invalid, and Conflict where the payment is not known to have succeeded: look at it first (`recheck_payment`).
    """
    sellers.lock_profile()
    payment = payments.locked(payment_id)
    if amount.currency != payment.currency or not 0 < amount.amount <= payment.amount:
        raise Invalid(_("A dispute takes back no more than was paid, in its currency."))
    if payment.status != "succeeded":
        raise Conflict(
            _("This payment is %(status)s.", status=payment.status),
            fix=_("Ask the gateway how it stands first."),
        )
    known = session().scalar(select(Dispute).where(Dispute.reference == reference))
    of = known or _open(payment, reference, amount)
    of.reason, of.evidence_due = reason[:60] or of.reason, evidence_due or of.evidence_due
    of.answered = of.answered or answered
    session().flush()
    if known is not None and (state == "open" or known.status != "open"):
        return
    if state != "open":
        _close(of, payment, state)
    emit(
        f"dispute.{state}",
        subject=f"dispute:{reference}",
        payload={"payment_id": str(payment.id), "amount": amount.amount, "currency": amount.currency},
    )


def claim() -> None:
    """Hold credit that came back to what banks have taken: a credit note, a void or a refund that failed gave it."""
    for of in session().scalars(select(Dispute).where(Dispute.status != "won").order_by(Dispute.id)).all():
        _claim(of, payments.locked(of.payment_id))


def taken_by_banks(payment: Payment) -> Money:
    """What of a payment banks have taken back and not returned: it cannot be refunded as well."""
    query = select(func.sum(Dispute.amount)).where(Dispute.payment_id == payment.id, Dispute.status != "won")
    return Money(int(session().scalar(query) or 0), payment.currency)


def _open(payment: Payment, reference: str, amount: Money) -> Dispute:
    made = Dispute(
        id=uuid7(), tenant_id=here(), payment_id=payment.id, reference=reference, amount=amount.amount,
        currency=amount.currency, status="open", reason="", answered=False,
    )  # fmt: skip
    session().add(made)
    session().flush()
    words = "A bank took the money back while it decides"
    _post(payment, f"dispute:{reference}:opened", [("disputes", amount), ("cash", -amount)], words)
    _claim(made, payment)
    return made


def _claim(of: Dispute, payment: Payment) -> None:
    """Take what stands for the money, as far as not as much is taken already: to be held, or for good."""
    uses = select(func.sum(CreditUse.amount)).where(CreditUse.dispute == of.reference)
    room = Money(of.amount - int(session().scalar(uses) or 0), of.currency)
    standing = grants.standing_for(payment.id, payment.invoice_id) if room else ()
    use, to, words = (
        ("held", "dispute_hold", "Credit held while a bank decides")
        if of.status == "open"
        else ("charged_back", "write_off", "Credit taken: its money went back by the bank")
    )
    taken = grants.take_up_to(standing, room, use, dispute=of.reference)
    if taken:
        key = ledger.turn(f"dispute:{of.reference}:{use}")
        _post(payment, key, [("customer_credit", taken), (to, -taken)], words)


def _close(of: Dispute, payment: Payment, state: State) -> None:
    of.status, of.closed_at = state, clock.now()
    session().flush()
    amount, back = Money(of.amount, of.currency), "cash" if state == "won" else "write_off"
    key = f"dispute:{of.reference}"
    _post(payment, f"{key}:closed", [(back, amount), ("disputes", -amount)], f"The dispute was {state}")
    held = _release(of)
    if held:
        words = "Credit is free again"
        postings = [("dispute_hold", held), ("customer_credit", -held)]
        _post(payment, f"{key}:released", postings, words)
    if state == "lost":
        _claim(of, payment)
    elif held:
        settlement.pay_open_by_credit()


def _release(of: Dispute) -> Money:
    """Give what was held back to its grants; how much that was."""
    held = Money.zero(of.currency)
    uses = select(CreditUse).where(CreditUse.dispute == of.reference, CreditUse.kind == "held")
    for use in session().scalars(uses.order_by(CreditUse.id)).all():
        grant = database.locked(CreditGrant, use.grant_id, NotFound(_("There is no such credit.")))
        some = Money(use.amount, use.currency)
        grants.take(grant, -some, "released", dispute=of.reference)
        held = held + some
    return held


def _post(payment: Payment, key: str, postings: Postings, words: str) -> None:
    ledger.post(
        key, "dispute", postings, seller_id=owners.seller_id(payment), source=f"payment:{payment.id}",
        description=words,
    )  # fmt: skip
