"""The statement of account: what stood before, every document and payment, what stands after.

Built from the documents, not from the ledger; that it says the same as the ledger is checked each time it is made.
Below zero the sum is the customer's: paid in or granted, and not used yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import ColumnElement, Select, func, select

from chom_core.billing.models import (
    CreditGrant,
    CreditNote,
    CreditUse,
    Invoice,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Payment,
    Refund,
)
from chom_core.billing.service.invoicing import sellers
from chom_core.database import clock, session
from chom_core.values.errors import Invalid
from chom_core.values.money import Money

#: The accounts whose sum is what a customer owes, less the credit it has.
ACCOUNTS = ("receivable", "customer_credit", "promotional_credit", "refund_clearing", "dispute_hold")


class Entry(Struct, frozen=True):
    """One document or movement. `amount` above zero is owed by the customer; `balance` is what stands after it.

    `kind`: invoice, void, write-off, recovery, credit note, payment, top-up, refund, credit, credit ended, dispute.
    """

    at: datetime
    kind: str
    number: str
    words: str
    amount: Money
    balance: Money
    invoice_id: UUID | None


class Statement(Struct, frozen=True):
    """`closing` = `opening` + the entries. `ledger` is what the books say at the same instant; `agrees`: the same."""

    currency: str
    start: datetime | None
    end: datetime
    opening: Money
    entries: tuple[Entry, ...]
    closing: Money
    ledger: Money

    @property
    def agrees(self) -> bool:
        return self.closing == self.ledger


_Row = tuple[datetime, str, str, str, int, UUID | None]


def statement(start: datetime | None = None, end: datetime | None = None, currency: str = "") -> Statement:
    """The current organisation's statement over [start, end) in one currency; all of it where neither is given.

    Raises Invalid where `start` is not before `end`.
    """
    code, until = currency or sellers.profile().currency, end or clock.now()
    if start is not None and start >= until:
        raise Invalid(_("The statement ends before it begins."), fields={"start": [_("Before the end.")]})
    running, opening, entries = Money.zero(code), Money.zero(code), []
    for at, kind, number, words, amount, invoice_id in sorted(_rows(code), key=lambda row: (row[0], row[1])):
        if end is not None and at >= until:
            break
        running = running + Money(amount, code)
        if start is not None and at < start:
            opening = running
        else:
            entries.append(Entry(at, kind, number, words, Money(amount, code), running, invoice_id))
    return Statement(code, start, until, opening, tuple(entries), running, _ledger(code, end))


def _rows(currency: str) -> Iterator[_Row]:
    yield from _invoices(currency)
    yield from _money(currency)
    yield from _credit(currency)


def _all(query: Select[*tuple[object, ...]]) -> list[tuple]:  # type: ignore[type-arg]
    return [tuple(row) for row in session().execute(query)]


def _invoices(currency: str) -> Iterator[_Row]:
    """Invoices, their credit notes, and those that were turned round by a void."""
    noted = select(func.sum(CreditNote.total)).where(CreditNote.invoice_id == Invoice.id).scalar_subquery()
    query = select(
        Invoice.id,
        Invoice.number,
        Invoice.total,
        Invoice.finalised_at,
        Invoice.voided_at,
        func.coalesce(noted, 0),
    ).where(Invoice.currency == currency, Invoice.number.is_not(None))
    for invoice_id, number, total, at, voided, noted_total in _all(query):
        yield at, "invoice", number, "", total, invoice_id
        if voided is not None and total != noted_total:
            yield voided, "void", number, "", noted_total - total, invoice_id
    notes = select(CreditNote).where(CreditNote.currency == currency)
    for note in session().scalars(notes):
        yield note.issued_at, "credit note", note.number, note.reason, -note.total, note.invoice_id


def _money(currency: str) -> Iterator[_Row]:
    """Payments, top-ups, refunds; write-offs stand on the ledger alone."""
    paid = select(Payment).where(Payment.currency == currency, Payment.status == "succeeded")
    for payment in session().scalars(paid):
        kind = "payment" if payment.invoice_id else "top-up"
        yield payment.settled_at or payment.created_at, kind, "", "", -payment.amount, payment.invoice_id
    query = (
        select(Refund.settled_at, Refund.reason, Refund.amount, Payment.invoice_id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.currency == currency, Refund.status == "succeeded")
    )
    for at, reason, amount, invoice_id in _all(query):
        yield at, "refund", "", reason, amount, invoice_id
    for kind, at, words, amount in _all(_on_the_ledger(currency, LedgerTransaction.kind.in_(_LEDGER_KINDS))):
        yield at, kind, "", words, int(amount), None


#: What moves a customer's account and has no document of its own.
_LEDGER_KINDS = ("write-off", "recovery", "dispute")


def _on_the_ledger(currency: str, which: ColumnElement[bool]) -> Select[*tuple[object, ...]]:
    return (
        select(
            LedgerTransaction.kind, LedgerTransaction.effective_at, LedgerTransaction.description,
            func.sum(LedgerEntry.amount),
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerAccount.code.in_(ACCOUNTS), LedgerAccount.currency == currency, which)
        .group_by(LedgerTransaction.id)
        .having(func.sum(LedgerEntry.amount) != 0)
    )  # fmt: skip


def _credit(currency: str) -> Iterator[_Row]:
    """Credit that nobody paid in by card, and credit that ended."""
    given = select(CreditGrant).where(
        CreditGrant.currency == currency,
        CreditGrant.payment_id.is_(None),
        CreditGrant.credit_note_id.is_(None),
    )
    for grant in session().scalars(given):
        yield grant.created_at, "credit", "", grant.reason, -grant.amount, None
    ended = select(CreditUse).where(
        CreditUse.currency == currency, CreditUse.kind.in_(("expired", "revoked"))
    )
    for use in session().scalars(ended):
        yield use.effective_at, "credit ended", "", use.kind, use.amount, None


def _ledger(currency: str, end: datetime | None) -> Money:
    query = (
        select(func.coalesce(func.sum(LedgerEntry.amount), 0))
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(LedgerAccount.code.in_(ACCOUNTS), LedgerAccount.currency == currency)
    )
    if end is not None:
        query = query.where(LedgerTransaction.effective_at < end)
    return Money(int(session().scalar(query) or 0), currency)
