"""What was taxed: every document of a seller in a span of time, at each of its rates, for a tax return.

A voided invoice counts in the span in which it was finalised, and against it in the one in which it was voided; a
credit note counts against the span in which it was issued. So a return that was filed stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct
from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import Session

from chom_core.billing.models import (
    CreditNote,
    CreditNoteLine,
    Invoice,
    InvoiceLine,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
)
from chom_core.values.money import Money
from chom_core.values.period import Period

_INVOICE = (
    Invoice.id, Invoice.tenant_id, Invoice.currency, Invoice.subtotal, Invoice.tax, Invoice.tax_title, Invoice.tax_rate,
    Invoice.tax_note, Invoice.snapshot,
)  # fmt: skip


class Taxed(Struct, frozen=True):
    """A document at one of its rates (percent). What takes back is below zero. `note`: why no tax was charged."""

    kind: Literal["invoice", "void", "credit_note"]
    number: str
    at: datetime
    tenant_id: UUID
    customer: str
    country: str
    region: str
    vat_id: str
    title: str
    rate: Decimal
    note: str
    net: Money
    tax: Money


class TaxLine(Struct, frozen=True):
    """All of one place, rate and currency. `documents`: how many."""

    country: str
    region: str
    title: str
    rate: Decimal
    note: str
    net: Money
    tax: Money
    documents: int


class TaxReport(Struct, frozen=True):
    """A span of time: by place and rate, and by currency what the ledger's account of tax says of the same span."""

    span: Period
    lines: tuple[TaxLine, ...]
    ledger: Mapping[str, Money]

    @property
    def net(self) -> dict[str, Money]:
        """What was sold, by currency."""
        return sums(line.net for line in self.lines)

    @property
    def tax(self) -> dict[str, Money]:
        """The tax of all lines, by currency; those of nought are left out."""
        return sums(line.tax for line in self.lines)

    @property
    def proven(self) -> bool:
        """Whether the documents and the ledger say the same."""
        return self.tax == dict(self.ledger)


def documents(here: Session, seller_id: UUID, span: Period) -> Iterator[Taxed]:
    """Every document of the seller that `here` sees, in the order of time within each kind."""
    yield from _invoices(here, "invoice", Invoice.finalised_at, seller_id, span)
    yield from _invoices(here, "void", Invoice.voided_at, seller_id, span)
    yield from _notes(here, seller_id, span)


def report(span: Period, found: Iterable[Taxed], ledger: Mapping[str, Money]) -> TaxReport:
    """The documents, added up."""
    added: dict[tuple[str, str, str, Decimal, str, str], tuple[Money, Money, set[str]]] = {}
    for one in found:
        key = (one.country, one.region, one.title, one.rate, one.note, one.net.currency)
        net, tax, numbers = added.get(key) or (Money.zero(key[-1]), Money.zero(key[-1]), set())
        numbers.add(f"{one.kind}/{one.number}")
        added[key] = (net + one.net, tax + one.tax, numbers)
    lines = [
        TaxLine(country, region, title, rate, note, net, tax, len(numbers))
        for (country, region, title, rate, note, _code), (net, tax, numbers) in sorted(
            added.items(), key=itemgetter(0)
        )
    ]
    return TaxReport(span, tuple(lines), ledger)


def sums(amounts: Iterable[Money]) -> dict[str, Money]:
    """By currency; those of nought are left out."""
    found: dict[str, Money] = {}
    for money in amounts:
        found[money.currency] = found.get(money.currency, Money.zero(money.currency)) + money
    return {code: money for code, money in found.items() if money}


def on_ledger(here: Session, seller_id: UUID, span: Period) -> dict[str, Money]:
    """What the seller's account of tax took up in the span, by currency: what it owes to tax offices for it."""
    query = (
        select(LedgerEntry.currency, -func.sum(LedgerEntry.amount))
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(LedgerAccount.code == "tax_payable", LedgerAccount.seller_id == seller_id)
        .where(_within(LedgerTransaction.effective_at, span))
        .group_by(LedgerEntry.currency)
    )
    return sums(Money(int(amount), code) for code, amount in here.execute(query))


def _within(at: Any, span: Period) -> ColumnElement[bool]:
    found: ColumnElement[bool] = (at >= span.start) & (at < span.end)
    return found


def _invoices(
    here: Session, kind: Literal["invoice", "void"], at: Any, seller_id: UUID, span: Period
) -> Iterator[Taxed]:
    query = select(*_INVOICE, Invoice.number.label("document"), at.label("at")).where(
        Invoice.seller_id == seller_id, Invoice.number.is_not(None), _within(at, span)
    )
    if (
        kind == "void"
    ):  # one that was paid or noted in part was taken back by a credit note, which counts itself
        noted = select(CreditNote.id).where(CreditNote.invoice_id == Invoice.id)
        query = query.where(Invoice.status == "void", ~noted.exists())
    for row in _ordered(here, query, at):
        sign = 1 if kind == "invoice" else -1
        for rate, net, tax in _rates(row):
            yield _taxed(row, kind, rate, sign * net, sign * tax)


def _notes(here: Session, seller_id: UUID, span: Period) -> Iterator[Taxed]:
    """What notes took back, by the rate that each line had."""
    line = (InvoiceLine.amount - InvoiceLine.discount).label("line_net"), InvoiceLine.tax.label("line_tax")
    query = (
        select(
            *_INVOICE, CreditNote.number.label("document"), CreditNote.issued_at.label("at"),
            CreditNoteLine.amount.label("noted"), CreditNoteLine.tax.label("noted_tax"), *line,
        )
        .join(CreditNote, CreditNote.invoice_id == Invoice.id)
        .join(CreditNoteLine, CreditNoteLine.credit_note_id == CreditNote.id)
        .join(InvoiceLine, InvoiceLine.id == CreditNoteLine.invoice_line_id)
        .where(CreditNote.seller_id == seller_id, _within(CreditNote.issued_at, span))
    )  # fmt: skip
    for row in _ordered(here, query, CreditNote.issued_at):
        yield _taxed(row, "credit_note", _rate_of_line(row), -row.noted, -row.noted_tax)


def _ordered(here: Session, query: Select[Any], at: Any) -> Iterator[Row[Any]]:
    yield from here.execute(query.order_by(at, Invoice.id), execution_options={"yield_per": 500})


def _rates(row: Any) -> list[tuple[Decimal, int, int]]:
    """Each rate of an invoice with its base and tax; most have one."""
    several = row.snapshot.get("tax", {}).get("rates", ())
    if not several:
        return [(row.tax_rate, row.subtotal, row.tax)]
    return [(Decimal(one["rate"]), one["base"], one["tax"]) for one in several]


def _rate_of_line(row: Any) -> Decimal:
    """The rate among the invoice's that its line's tax is nearest to."""
    rates = [rate for rate, _base, _tax in _rates(row)]
    return min(rates, key=lambda rate: abs(row.line_net * rate / 100 - row.line_tax))


def _taxed(
    row: Any, kind: Literal["invoice", "void", "credit_note"], rate: Decimal, net: int, tax: int
) -> Taxed:
    buyer, code = row.snapshot.get("customer", {}), row.currency
    return Taxed(
        kind, row.document, row.at, row.tenant_id, buyer.get("name") or buyer.get("organisation", ""),
        buyer.get("country", ""), buyer.get("region", ""), buyer.get("vat_id", ""), row.tax_title,
        rate.normalize() + 0, row.tax_note, Money(net, code), Money(tax, code),
    )  # fmt: skip
