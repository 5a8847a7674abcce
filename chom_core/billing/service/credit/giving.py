"""Giving back: the unused rest of a billed period, or days without service, with tax, by credit notes."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.billing.models import BilledPeriod, CreditNote, Invoice, Subscription
from chom_core.billing.rules.cycles import instant_of
from chom_core.billing.rules.proration import Proration, prorate
from chom_core.billing.service.changes import billed
from chom_core.billing.service.invoicing import credit_notes, invoices
from chom_core.billing.service.invoicing.credit_notes import Settle
from chom_core.database import session
from chom_core.values.errors import Invalid
from chom_core.values.money import Money
from chom_core.values.period import Period


def back(row: BilledPeriod, amount: Money, *, key: str, reason: str) -> Money:
    """Give back `amount`, net, of what was paid for `row`'s item, once per `key`. Returns it with its tax.

    The line that billed it gives first. What that line was itself paid with (the unused time of an earlier plan, on the
    same invoice) comes back from the earlier invoices, so no note takes back more than a line was worth.
    """
    left, total = amount, Money.zero(amount.currency)
    for invoice_id in _invoices(row):
        invoice = invoices.locked(invoice_id)
        if not left or invoice.status in ("draft", "void"):
            continue
        wanted: dict[int, Money] = {}
        for one in credit_notes.creditable(invoice):
            if left and one.line.source == f"item:{row.item_id}" and one.line.kind in billed.KINDS:
                wanted[one.line.position] = part = min(left, one.net)
                left = left - part
        if wanted:
            note = credit_notes.issue(invoice_id, wanted, "credit", reason=reason, key=f"{key}:{invoice_id}")
            total = total + Money(note.total, note.currency)
    return total


def idle(
    invoice_id: UUID, first: date, last: date, settle: Settle = "credit", *, reason: str, key: str
) -> CreditNote:
    """Give back what an invoice charged for the local days `first` to `last`, both included: there was no service then.

    Each line gives its share of what it cost after discounts, by its plan's rule of proration. The same key again is
    the same note. Raises Invalid where the invoice charged nothing for these days, or gave it back before.
    """
    known = session().scalar(select(CreditNote).where(CreditNote.key == key))
    if known is not None and known.invoice_id == invoice_id:
        return known
    wanted: dict[int, Money] = {}
    invoice = invoices.locked(invoice_id)
    left = {one.line.source: one for one in credit_notes.creditable(invoice) if one.line.kind in billed.KINDS}
    query = select(BilledPeriod, Subscription).join(
        Subscription, Subscription.id == BilledPeriod.subscription_id
    )
    for row, of in session().execute(query.where(BilledPeriod.invoice_id == invoice_id)):
        start = max(row.period_start, instant_of(first, of.zone))
        end = min(row.until, instant_of(last + timedelta(days=1), of.zone))
        one = left.get(f"item:{row.item_id}")
        if start < end and one is not None:
            whole = Period(row.period_start, row.period_end)
            paid = Money(row.amount, row.currency)
            wanted[one.line.position] = prorate(
                paid, Period(start, end), whole, Proration(of.proration), of.zone
            )
    if not any(wanted.values()):
        raise Invalid(
            _("This invoice charged nothing for these days."),
            fields={"idle_from": [_("Days within a period that a line names.")]},
        )
    return credit_notes.issue(invoice_id, wanted, settle, reason=reason, key=key)


def _invoices(row: BilledPeriod) -> list[UUID]:
    """The row's own invoice, then the item's earlier ones, newest first."""
    query = (
        select(Invoice.id)
        .join(BilledPeriod, BilledPeriod.invoice_id == Invoice.id)
        .where(BilledPeriod.item_id == row.item_id, Invoice.id != row.invoice_id)
    )
    earlier = session().scalars(query.order_by(Invoice.id.desc()).distinct()).all()
    return [row.invoice_id, *earlier]
