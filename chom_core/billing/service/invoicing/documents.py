"""Invoices and credit notes as PDF. Only what was frozen stands on them, so that they never change by themselves.

The same facts give the same file, byte for byte; it is drawn once and kept. A payment or a credit note gives the
invoice another stamp or another amount due, and so another file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import get_locale
from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chom_core.billing.models import CreditNote, DocumentFile, Invoice, Subscription
from chom_core.database import clock, session
from chom_core.values.errors import NotFound
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.web import formats

TEMPLATE = Path(__file__).parents[2] / "templates" / "documents" / "document.typ"
MIME = "application/pdf"


class Drawn(Struct, frozen=True):
    """A file to hand out: its name and its bytes."""

    name: str
    content: bytes


def invoice_pdf(invoice_id: UUID) -> Drawn:
    """The finalised invoice; NotFound where the organisation has no such one."""
    found = session().scalar(select(Invoice).where(Invoice.id == invoice_id, Invoice.number.is_not(None)))
    if found is None:
        raise NotFound(_("There is no such invoice."), fix=_("Look at the list of invoices."))
    return Drawn(f"{found.number}.pdf", _kept("invoice", found, invoice_facts(found)))


def credit_note_pdf(note_id: UUID) -> Drawn:
    """The credit note; NotFound where the organisation has no such one."""
    found = session().scalar(select(CreditNote).where(CreditNote.id == note_id))
    if found is None:
        raise NotFound(_("There is no such credit note."), fix=_("Look at the list of invoices."))
    return Drawn(f"{found.number}.pdf", _kept("credit_note", found, credit_note_facts(found)))


def invoice_facts(invoice: Invoice) -> dict[str, Any]:
    """All that stands on the invoice, in the reader's language."""
    zone, currency = _zone(invoice), invoice.currency
    paid = invoice.status == "paid" and invoice.paid_at is not None
    sums = [
        (_("Subtotal"), Money(invoice.subtotal, currency), False),
        *_tax(invoice, Money(invoice.tax, currency)),
    ]
    sums.append((f"{_('Total')} ({currency})", Money(invoice.total, currency), True))
    for words, amount in (
        (_("Credit used"), invoice.amount_credited),
        (_("Credit notes"), invoice.amount_noted),
        (_("Paid"), invoice.amount_paid),
    ):
        if amount:
            sums.append((words, Money(-amount, currency), False))
    sums.append((_("Amount due"), invoice.due, True))
    facts = _page(invoice.snapshot, _("Invoice"), str(invoice.number), sums)
    facts["particulars"] = [
        [_("Number"), str(invoice.number)],
        [_("Date"), _day(invoice.finalised_at, zone)],
        [_("Due"), _day(invoice.due_at, zone)],
    ]
    facts["lines"] = [
        [
            line.description,
            formats.number(line.quantity, 6),
            _money(line.unit_amount, currency),
            _money(line.amount, currency),
        ]
        for line in invoice.lines
    ]
    facts["notes"] = [note for note in (invoice.tax_note,) if note]
    if invoice.status == "void":
        facts["notes"].append(_("This invoice is void: nothing is owed for it."))
    facts["stamp"] = [_("PAID"), _day(invoice.paid_at, zone)] if paid else []
    return facts


def credit_note_facts(note: CreditNote) -> dict[str, Any]:
    """All that stands on the credit note, in the reader's language."""
    invoice = session().get_one(Invoice, note.invoice_id)
    zone, currency = _zone(invoice), note.currency
    sums = [(_("Subtotal"), Money(note.subtotal, currency), False), *_tax(invoice, Money(note.tax, currency))]
    sums.append((f"{_('Total credited')} ({currency})", Money(note.total, currency), True))
    for words, amount in (
        (_("Off what was due"), note.to_due),
        (_("Back to your card"), note.to_refund),
        (_("As account credit"), note.to_account + note.to_credit),
        (_("As promotional credit"), note.to_promotional),
    ):
        if amount:
            sums.append((words, Money(amount, currency), False))
    facts = _page(note.snapshot, _("Credit note"), note.number, sums)
    facts["particulars"] = [
        [_("Number"), note.number],
        [_("Date"), _day(note.issued_at, zone)],
        [_("For invoice"), str(note.snapshot.get("invoice") or invoice.number)],
    ]
    facts["lines"] = [
        [line.description, formats.number(line.quantity, 6), "", _money(line.amount, currency)]
        for line in note.lines
    ]
    facts["notes"] = [one for one in (note.reason, str(note.snapshot.get("tax", {}).get("note", ""))) if one]
    facts["stamp"] = []
    return facts


def _page(
    snapshot: dict[str, Any], heading: str, number: str, sums: Sequence[tuple[str, Money, bool]]
) -> dict[str, Any]:
    """What both documents share: who sells, who buys, the words of the table."""
    seller, customer, brand = snapshot["seller"], snapshot["customer"], str(snapshot.get("brand") or "")
    return {
        "title": f"{heading} {number}",
        "heading": heading,
        "lang": _language(),
        "brand": brand or seller["legal_name"],
        "seller": _address(seller["legal_name"], seller, seller.get("tax_id", "")),
        "to": _("To"),
        "customer": _address(customer["name"], customer, customer.get("vat_id", "")),
        "columns": [_("What"), _("Quantity"), _("Price"), _("Amount")],
        "sums": [[words, _money(amount.amount, amount.currency), strong] for words, amount, strong in sums],
        "footer": " · ".join(
            part for part in (seller["legal_name"], seller.get("tax_id", ""), number) if part
        ),
    }


def _address(name: str, who: dict[str, Any], number: str) -> list[str]:
    lines = [name, *str(who.get("address") or "").splitlines()]
    lines.append(" ".join(part for part in (who.get("region", ""), who.get("country", "")) if part))
    if number:
        lines.append(f"{_('Tax number')} {number}")
    return [line.strip() for line in lines if line.strip()]


def _tax(invoice: Invoice, amount: Money) -> list[tuple[str, Money, bool]]:
    if not invoice.tax_title:
        return []
    rows = invoice.snapshot["tax"].get("rates")
    if not rows:
        return [(f"{invoice.tax_title} {formats.number(invoice.tax_rate, 4)} %", amount, False)]
    if amount.amount != invoice.tax:  # a note: its lines are of several rates
        return [(invoice.tax_title, amount, False)]
    return [
        (
            _("%(tax)s %(rate)s %% on %(net)s", tax=invoice.tax_title, rate=formats.number(Decimal(row["rate"]), 4),
              net=_money(row["base"], amount.currency)),
            Money(row["tax"], amount.currency), False,
        )
        for row in rows
    ]  # fmt: skip


def _money(amount: int | None, currency: str) -> str:
    return "" if amount is None else formats.money(Money(amount, currency))


def _day(instant: datetime | None, zone: ZoneInfo) -> str:
    return formats.day(instant, zone=zone)


def _zone(invoice: Invoice) -> ZoneInfo:
    """The zone whose days the invoice was made by: its subscription's, which never changes."""
    of = session().get(Subscription, invoice.subscription_id) if invoice.subscription_id else None
    return ZoneInfo(of.zone if of else "UTC")


def _language() -> str:
    return str(getattr(get_locale(), "language", None) or "en")


def _kept(kind: str, of: Invoice | CreditNote, facts: dict[str, Any]) -> bytes:
    """The file of these facts: as it was drawn before, else drawn now."""
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False)
    digest = sha256(f"{_version()}\n{text}".encode()).hexdigest()
    which = {"tenant_id": of.tenant_id, "kind": kind, "subject_id": of.id, "digest": digest}
    query = select(DocumentFile.content).filter_by(**which)
    known = session().scalar(query)
    if known is not None:
        return known
    drawn = draw(text)
    row = insert(DocumentFile).values(id=uuid7(), created_at=clock.now(), content=drawn, **which)
    session().execute(row.on_conflict_do_nothing())
    return drawn


def draw(facts: str) -> bytes:
    """The PDF of `facts` (JSON), with the fonts that come with typst: no machine's own make a difference."""
    import typst  # 40 MB of code: by whoever draws, not by every process

    drawn = typst.compile(
        TEMPLATE.read_bytes(), sys_inputs={"facts": facts}, format="pdf", ignore_system_fonts=True
    )
    return bytes(drawn)


@lru_cache(maxsize=1)
def _version() -> str:
    """Changes with the template and with typst: what an older one drew is drawn anew."""
    from importlib.metadata import version

    return f"{version('typst')}:{sha256(TEMPLATE.read_bytes()).hexdigest()}"
