"""Credit, credit notes and refunds, as their customer and staff see them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import select

from chom_core.billing.models import (
    CreditGrant,
    CreditNote,
    CreditUse,
    Invoice,
    InvoiceLine,
    Payment,
    PaymentMethod,
    Refund,
)
from chom_core.billing.reads.documents import card_words
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import credit_notes, sellers
from chom_core.database import clock, session
from chom_core.values.errors import NotFound
from chom_core.values.money import Money


class GrantInfo(Struct, frozen=True):
    """A grant of credit. `kind`: account or promotional; `state`: usable, used, expired."""

    id: UUID
    kind: str
    state: str
    amount: Money
    remaining: Money
    reason: str
    usage_only: bool
    priority: int
    expires_at: datetime | None
    created_at: datetime


class UseInfo(Struct, frozen=True):
    """What took from a grant, or (below zero) gave back to it. `invoice_id` where it was for one."""

    at: datetime
    kind: str
    credit: str
    amount: Money
    invoice_id: UUID | None
    number: str


class CreditBalance(Struct, frozen=True):
    """What is left, by kind, in one currency. `projected`: account credit after the drafts that wait."""

    currency: str
    account: Money
    promotional: Money
    projected: Money


class CreditInfo(Struct, frozen=True):
    """The credit page: balances by currency (the customer's own first), grants and uses, newest first."""

    balances: tuple[CreditBalance, ...]
    grants: tuple[GrantInfo, ...]
    uses: tuple[UseInfo, ...]


class NoteLineInfo(Struct, frozen=True):
    """One line of a credit note, net, with its share of the tax. `position` is the invoice line's."""

    position: int
    description: str
    amount: Money
    tax: Money


class NoteInfo(Struct, frozen=True):
    """A credit note. Its total went off what was due, to the card, to account credit, and back to used credit."""

    id: UUID
    tenant_id: UUID
    invoice_id: UUID
    number: str
    reason: str
    currency: str
    subtotal: Money
    tax: Money
    total: Money
    to_due: Money
    to_refund: Money
    to_account: Money
    to_credit: Money
    to_promotional: Money
    issued_at: datetime
    lines: tuple[NoteLineInfo, ...]


class RefundInfo(Struct, frozen=True):
    """Cash given back to a card. `reopened`: the part that is owed again; `message`: why one failed."""

    id: UUID
    payment_id: UUID
    invoice_id: UUID | None
    status: str
    amount: Money
    from_credit: Money
    reopened: Money
    card: str
    reason: str
    message: str
    created_at: datetime
    settled_at: datetime | None


_REFUNDS = (
    select(Refund, Payment.invoice_id, PaymentMethod)
    .join(Payment, Payment.id == Refund.payment_id)
    .join(PaymentMethod, PaymentMethod.id == Payment.method_id)
    .order_by(Refund.id.desc())
)


def credit_balance(currency: str = "") -> CreditBalance:
    """The current organisation's credit in its own currency, or in `currency`."""
    code = currency or sellers.profile().currency
    return CreditBalance(
        code,
        accounts.balance("account", code),
        accounts.balance("promotional", code),
        accounts.projected(code, Money.zero(code)),
    )


def credit_info(limit: int = 100) -> CreditInfo:
    """The current organisation's credit on one page."""
    rows = session().scalars(select(CreditGrant).order_by(CreditGrant.id.desc()).limit(limit)).all()
    own = sellers.profile().currency
    others = sorted({row.currency for row in rows} - {own})
    return CreditInfo(
        tuple(credit_balance(code) for code in (own, *others)),
        tuple(_grant(row) for row in rows),
        tuple(credit_uses(limit=limit)),
    )


def _grant(row: CreditGrant) -> GrantInfo:
    over = row.expires_at is not None and row.expires_at <= clock.now()
    state = "expired" if over else "usable" if row.remaining else "used"
    return GrantInfo(
        row.id, row.kind, state, Money(row.amount, row.currency), Money(row.remaining, row.currency), row.reason,
        row.usage_only, row.priority, row.expires_at, row.created_at,
    )  # fmt: skip


def credit_uses(invoice_id: UUID | None = None, limit: int = 100) -> list[UseInfo]:
    """What credit was used for, newest first; of one invoice where it is named."""
    query = (
        select(CreditUse, CreditGrant.kind, Invoice.number)
        .join(CreditGrant, CreditGrant.id == CreditUse.grant_id)
        .outerjoin(Invoice, Invoice.id == CreditUse.invoice_id)
        .order_by(CreditUse.id.desc())
        .limit(limit)
    )
    if invoice_id is not None:
        query = query.where(CreditUse.invoice_id == invoice_id)
    return [
        UseInfo(
            use.effective_at, use.kind, kind, Money(use.amount, use.currency), use.invoice_id, number or ""
        )
        for use, kind, number in session().execute(query)
    ]


def note_list(invoice_id: UUID | None = None, limit: int = 200) -> list[NoteInfo]:
    """Credit notes, newest first; of one invoice where it is named."""
    query = select(CreditNote).order_by(CreditNote.id.desc()).limit(limit)
    if invoice_id is not None:
        query = query.where(CreditNote.invoice_id == invoice_id)
    rows = session().scalars(query).all()
    lines = [line.invoice_line_id for row in rows for line in row.lines]
    placed = select(InvoiceLine.id, InvoiceLine.position).where(InvoiceLine.id.in_(lines))
    places: dict[UUID, int] = {row[0]: row[1] for row in session().execute(placed)}
    return [_note(row, places) for row in rows]


def note(note_id: UUID) -> NoteInfo:
    """One credit note of the organisation; NotFound otherwise."""
    found = credit_notes.note(note_id)
    return next(one for one in note_list(found.invoice_id) if one.id == note_id)


def _note(row: CreditNote, places: dict[UUID, int]) -> NoteInfo:
    def money(cents: int) -> Money:
        return Money(cents, row.currency)

    return NoteInfo(
        id=row.id,
        tenant_id=row.tenant_id,
        invoice_id=row.invoice_id,
        number=row.number,
        reason=row.reason,
        currency=row.currency,
        subtotal=money(row.subtotal),
        tax=money(row.tax),
        total=money(row.total),
        to_due=money(row.to_due),
        to_refund=money(row.to_refund),
        to_account=money(row.to_account),
        to_credit=money(row.to_credit),
        to_promotional=money(row.to_promotional),
        issued_at=row.issued_at,
        lines=tuple(
            NoteLineInfo(places[line.invoice_line_id], line.description, money(line.amount), money(line.tax))
            for line in row.lines
        ),
    )


def refund_list(invoice_id: UUID | None = None, limit: int = 200) -> list[RefundInfo]:
    """Refunds, newest first; of one invoice's payments where it is named."""
    query = _REFUNDS if invoice_id is None else _REFUNDS.where(Payment.invoice_id == invoice_id)
    return [_refund(*row) for row in session().execute(query.limit(limit))]


def refund(refund_id: UUID) -> RefundInfo:
    """One refund of the organisation; NotFound otherwise."""
    found = session().execute(_REFUNDS.where(Refund.id == refund_id)).first()
    if found is None:
        raise NotFound(_("There is no such refund."))
    return _refund(*found)


def _refund(row: Refund, invoice_id: UUID | None, method: PaymentMethod) -> RefundInfo:
    return RefundInfo(
        row.id, row.payment_id, invoice_id, row.status, Money(row.amount, row.currency),
        Money(row.from_credit, row.currency), Money(row.reopened, row.currency), card_words(method), row.reason,
        row.message, row.created_at, row.settled_at,
    )  # fmt: skip


def creditable(invoice_id: UUID) -> dict[int, Money]:
    """What credit notes may still take back of each line of an invoice, net, by position; empty where it has none."""
    found = session().scalar(select(Invoice).where(Invoice.id == invoice_id, Invoice.number.is_not(None)))
    if found is None or found.status == "void":
        return {}
    return {one.line.position: one.net for one in credit_notes.creditable(found)}
