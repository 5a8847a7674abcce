"""Disputes as staff see them: one row of the list, and all that hangs on one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    cast,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from chom_core.billing.models import (
    CreditGrant,
    CreditUse,
    Dispute,
    DisputeAnswer,
    Invoice,
    LedgerTransaction,
    Payment,
    PaymentMethod,
    SubscriptionItem,
)
from chom_core.billing.reads.documents import card_words, invoice_info, payment_infos
from chom_core.billing.reads.shapes import InvoiceInfo, PaymentInfo
from chom_core.billing.service.paying.answers import OURS
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import session
from chom_core.provisioning.models import Service
from chom_core.values.errors import NotFound
from chom_core.values.money import Money

#: How a dispute stands, for people: nobody answered yet, the answer is on its way, the bank decides, it has.
STATES = ("needs_answer", "sending", "with_bank", "won", "lost")
_UNDECIDED = func.coalesce(DisputeAnswer.status, "draft")
_OPEN = Dispute.status == "open"
_IN_STATE: dict[str, ColumnElement[bool]] = {
    "needs_answer": and_(_OPEN, ~Dispute.answered, _UNDECIDED.in_(OURS)),
    "sending": and_(_OPEN, ~Dispute.answered, _UNDECIDED == "sending"),
    "with_bank": and_(_OPEN, or_(Dispute.answered, _UNDECIDED == "sent")),
    "won": Dispute.status == "won",
    "lost": Dispute.status == "lost",
}
_FAR = 100_000_000_000
#: First those that wait for an answer, by the bank's deadline, then other open ones, then the newest of the rest.
URGENCY: ColumnElement[int] = case(
    (_IN_STATE["needs_answer"], 0), (_OPEN, _FAR), else_=3 * _FAR
) + cast(
    func.floor(func.extract("epoch", func.coalesce(Dispute.evidence_due, Dispute.created_at))), BigInteger
) * case((_OPEN, 1), else_=-1)  # fmt: skip


class DisputeInfo(Struct, frozen=True):
    """A dispute. `reason` is the bank's, in the gateway's words; `state` one of STATES; `urgency` is its place."""

    id: UUID
    tenant_id: UUID
    reference: str
    gateway: str
    payment_id: UUID
    card: str
    amount: Money
    reason: str
    evidence_due: datetime | None
    state: str
    created_at: datetime
    closed_at: datetime | None
    urgency: int


class AnswerInfo(Struct, frozen=True):
    """What the bank is told: see models.DisputeAnswer. `evidence` by the gateway's names of fields."""

    kind: str
    status: str
    version: int
    evidence: Mapping[str, str]
    decided_by: str
    decided_at: datetime | None
    settled_at: datetime | None
    message: str


class Posted(Struct, frozen=True):
    """An entry of the ledger."""

    at: datetime
    words: str
    account: str
    amount: Money


class ServedBy(Struct, frozen=True):
    """A service that the payment paid for; a deleted one too: it was there."""

    id: UUID
    name: str
    title: str
    kind: str
    status: str


class DisputeDetail(Struct, frozen=True):
    """One dispute with its payment, what that paid for, what was posted, and what the bank is told."""

    info: DisputeInfo
    payment: PaymentInfo
    invoices: tuple[InvoiceInfo, ...]
    services: tuple[ServedBy, ...]
    posted: tuple[Posted, ...]
    answer: AnswerInfo | None


def dispute_query(state: str = "") -> Select[*tuple[Any, ...]]:
    """Disputes that the unit sees, unsorted, as `dispute_infos` reads them; in one of STATES, where it is named."""
    query = (
        select(Dispute, Payment, PaymentMethod, DisputeAnswer, URGENCY.label("urgency"))
        .join(Payment, Payment.id == Dispute.payment_id)
        .join(PaymentMethod, PaymentMethod.id == Payment.method_id)
        .outerjoin(DisputeAnswer, DisputeAnswer.dispute_id == Dispute.id)
    )
    return query.where(_IN_STATE[state]) if state else query


def dispute_infos(rows: Iterable[Row[*tuple[Any, ...]]]) -> list[DisputeInfo]:
    """Rows of `dispute_query`, as values."""
    return [
        DisputeInfo(
            of.id, of.tenant_id, of.reference, payment.gateway, payment.id, card_words(method),
            Money(of.amount, of.currency), of.reason, of.evidence_due, _state(of, answer), of.created_at, of.closed_at,
            int(urgency),
        )
        for of, payment, method, answer, urgency in rows
    ]  # fmt: skip


def dispute_list(limit: int = 200) -> list[DisputeInfo]:
    """The disputes that the unit sees, the most urgent first."""
    query = dispute_query().order_by(URGENCY, Dispute.id).limit(limit)
    return dispute_infos(session().execute(query))


def disputes_to_answer(here: Session, until: datetime, limit: int = 200) -> list[DisputeInfo]:
    """Those of all organisations that a bank waits for until then or does not say how long, the first first.

    `here` is the session of an `everyone` unit.
    """
    near = or_(Dispute.evidence_due.is_(None), Dispute.evidence_due < until)
    query = dispute_query("needs_answer").where(near).order_by(URGENCY, Dispute.id).limit(limit)
    return dispute_infos(here.execute(query))


def dispute(dispute_id: UUID) -> DisputeDetail:
    """One dispute of the current organisation; NotFound."""
    row = session().execute(dispute_query().where(Dispute.id == dispute_id)).first()
    if row is None:
        raise NotFound(_("There is no such dispute."))
    of, payment, _method, answer, _urgency = row
    invoices = _invoices(payment)
    pair = select(Payment, PaymentMethod).join(PaymentMethod, PaymentMethod.id == Payment.method_id)
    return DisputeDetail(
        dispute_infos([row])[0],
        payment_infos(session().execute(pair.where(Payment.id == payment.id)))[0],
        tuple(invoice_info(one) for one in invoices),
        tuple(_services(invoices)),
        tuple(_posted(of)),
        None if answer is None else AnswerInfo(
            answer.kind, answer.status, answer.version, dict(answer.evidence), answer.decided_by, answer.decided_at,
            answer.settled_at, answer.message,
        ),
    )  # fmt: skip


def _state(of: Dispute, answer: DisputeAnswer | None) -> str:
    if of.status != "open":
        return of.status
    given = "draft" if answer is None else answer.status
    if of.answered or given == "sent":
        return "with_bank"
    return "sending" if given == "sending" else "needs_answer"


def _invoices(payment: Payment) -> list[Invoice]:
    """What the payment paid: its invoice, and those that the credit was used for that it became."""
    by_credit = (
        select(CreditUse.invoice_id)
        .join(CreditGrant, CreditGrant.id == CreditUse.grant_id)
        .where(CreditGrant.payment_id == payment.id, CreditUse.kind == "applied")
    )
    own = Invoice.id == payment.invoice_id if payment.invoice_id else false()
    query = select(Invoice).where(Invoice.number.is_not(None), or_(own, Invoice.id.in_(by_credit)))
    return list(session().scalars(query.order_by(Invoice.id)))


def _services(invoices: list[Invoice]) -> list[ServedBy]:
    sources = {line.source for one in invoices for line in one.lines if line.source}
    items = {found for source in sources if (found := subscriptions.item_id(source)) is not None}
    own = select(SubscriptionItem.service_id).where(SubscriptionItem.id.in_(items))
    paid = or_(Service.paid_by.in_(sources), Service.id.in_(own)) if sources else ~true()
    query = select(Service).where(paid).order_by(Service.name, Service.id).limit(100)
    return [ServedBy(one.id, one.name, one.title, one.kind, one.status) for one in session().scalars(query)]


def _posted(of: Dispute) -> list[Posted]:
    mine = or_(
        LedgerTransaction.source == f"dispute:{of.reference}",
        LedgerTransaction.key.startswith(f"dispute:{of.reference}:", autoescape=True),
    )
    query = select(LedgerTransaction).where(mine).order_by(LedgerTransaction.id)
    return [
        Posted(row.effective_at, row.description, entry.account.code, Money(entry.amount, entry.currency))
        for row in session().scalars(query)
        for entry in row.entries
    ]
