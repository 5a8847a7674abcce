"""Invoices: drafting from a rated bill, finalising with a number, paying, writing off; each with its entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core import database
from chom_core.billing import ledger
from chom_core.billing.models import Invoice, InvoiceLine, Payment, Seller
from chom_core.billing.models.payments import OPEN
from chom_core.billing.service.credit import grants
from chom_core.billing.service.invoicing import rating, sellers, tax
from chom_core.billing.service.invoicing.rating import Charge, Proposed, Reduction
from chom_core.billing.service.offers import discounts
from chom_core.database import Tenant, clock, here, session
from chom_core.plugin_host import hooks
from chom_core.values.billing import Bill, LinesQuery, TaxAnswer, TaxQuery
from chom_core.values.errors import Conflict, NotFound, PluginFailed
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.values.period import Period
from chom_core.work import emit


def rate(
    currency: str,
    charges: Sequence[Charge],
    subscription_id: UUID | None = None,
    reductions: Sequence[Reduction] = (),
    *,
    held: bool = True,
) -> Bill:
    """The bill for `charges`: coupons, what plugins propose, tax. The same for preview and invoice.

    `reductions` come beside the coupons that the customer holds: what is about to be redeemed. `held`: False where
    the caller knows that there are none.
    """
    lines = rating.lines_of(charges)
    reductions = (*(discounts.reductions(charges) if held else ()), *reductions)
    profile = sellers.profile()
    who, at = sellers.customer(profile), clock.now()
    answers = hooks.billing_lines(LinesQuery(who, currency, lines, at, subscription_id))
    proposed = [Proposed(plugin, one) for plugin, value, _error in answers for one in value or ()]
    before_tax = rating.bill(currency, lines, proposed, None, reductions)
    query = TaxQuery(sellers.facts(sellers.seller()), who, currency, before_tax.lines, at)
    return rating.bill(currency, lines, proposed, tax_on(query), reductions)


def tax_on(query: TaxQuery) -> TaxAnswer | None:
    found = [(plugin, value) for plugin, value, _error in hooks.billing_tax(query) if value is not None]
    if len(found) > 1:
        raise PluginFailed(
            _(
                "Two features answer for tax: %(names)s.",
                names=", ".join((plugin for plugin, _value in found)),
            ),
            plugin=found[1][0],
            fix=_("Staff: switch one of them off."),
        )
    answer: TaxAnswer | None = found[0][1] if found else tax.answer(query)
    if answer is not None and answer.rates and len(answer.rates) != len(query.lines):
        raise PluginFailed(
            _("%(rates)s rates of tax for %(lines)s lines.", rates=len(answer.rates), lines=len(query.lines)),
            plugin=found[0][0] if found else "",
        )
    return answer


def draft(bill: Bill, *, seller: Seller, subscription_id: UUID | None, period: Period | None) -> Invoice:
    """A draft with the bill's lines. No number yet, nothing owed."""
    invoice = compose(bill, seller=seller, subscription_id=subscription_id, period=period)
    session().flush()
    return invoice


def compose(bill: Bill, *, seller: Seller, subscription_id: UUID | None, period: Period | None) -> Invoice:
    """The same before it is written: one that is finalised at once is written once."""
    invoice = Invoice(
        id=uuid7(), tenant_id=here(), seller_id=seller.id, subscription_id=subscription_id, status="draft",
        currency=bill.currency,
    )  # fmt: skip
    if period is not None:
        invoice.period_start, invoice.period_end = period.start, period.end
    _sum(invoice, bill)
    invoice.lines = _lines(invoice, bill)
    session().add(invoice)
    return invoice


def _sum(invoice: Invoice, bill: Bill) -> None:
    invoice.subtotal, invoice.tax, invoice.total = bill.subtotal.amount, bill.tax.amount, bill.total.amount
    invoice.tax_title, invoice.tax_rate, invoice.tax_note = bill.tax_title, bill.tax_rate, bill.tax_note
    if bill.tax_rates:
        rows = [
            {"rate": str(row.rate), "base": row.base.amount, "tax": row.tax.amount} for row in bill.tax_rates
        ]
        invoice.snapshot = {"tax": {"rates": rows}}


def _lines(invoice: Invoice, bill: Bill) -> list[InvoiceLine]:
    return [
        InvoiceLine(
            tenant_id=invoice.tenant_id,
            invoice_id=invoice.id,
            position=position,
            kind=line.kind,
            description=line.description,
            quantity=line.quantity,
            unit_amount=line.unit.amount if line.unit else None,
            amount=line.amount.amount,
            currency=line.amount.currency,
            taxable=line.taxable,
            plan_code=line.plan,
            proposed_by=line.proposed_by,
            discount=line.discount.amount if line.discount else 0,
            tax=line.tax.amount if line.tax else 0,
            source=line.source,
            details=dict(line.details),
            period_start=line.period_start,
            period_end=line.period_end,
        )
        for position, line in enumerate(bill.lines, start=1)
    ]


def finalise(invoice: Invoice, *, paying: Money | None = None, credit: bool = True) -> None:
    """Freeze the draft, post what is owed, and use the customer's credit for it. Its number comes last: `number`.

    `paying`: money that was taken for this draft already; credit pays what is left beside it. `credit`: False where
    the caller knows that there is none. Whatever else has to be written in this transaction is written before
    `number`; the caller commits soon.
    """
    if invoice.status != "draft":
        raise Conflict(_("The invoice is %(status)s, not a draft.", status=invoice.status))
    seller = session().get_one(Seller, invoice.seller_id)
    _freeze(invoice, seller)
    source = f"invoice:{invoice.id}"
    if invoice.total:
        ledger.post(
            f"{source}:finalised",
            "invoice",
            [
                ("receivable", Money(invoice.total, invoice.currency)),
                ("revenue", Money(-invoice.subtotal, invoice.currency)),
                ("tax_payable", Money(-invoice.tax, invoice.currency)),
            ],
            seller_id=seller.id,
            source=source,
            description="Invoice finalised",
        )
    emit("invoice.finalised", subject=source, payload={"total": invoice.total, "currency": invoice.currency})
    if credit:
        grants.apply(invoice, invoice.due - paying if paying is not None else None)
    close_if_settled(invoice)


def to_charge(invoice: Invoice) -> Money:
    """What a card would be charged now: what is due, less the credit that a draft will use when it is finalised."""
    if invoice.status != "draft":
        return invoice.due
    return grants.plan(invoice, grants.usable(invoice.seller_id, invoice.currency), invoice.due).due


def number(invoice: Invoice) -> None:
    """Give the finalised invoice its number: the LAST statement before the commit."""
    seller = session().get_one(Seller, invoice.seller_id)
    session().flush()
    invoice.number, invoice.series = sellers.next_invoice_number(seller)
    invoice.status = "open" if invoice.due else "paid"
    session().flush()


def _freeze(invoice: Invoice, seller: Seller) -> None:
    profile = sellers.profile()
    tenant = session().get_one(Tenant, invoice.tenant_id)
    brand, now = _brand(seller), clock.now()
    several = (invoice.snapshot or {}).get("tax", {})  # rates of tax, where lines bear several
    invoice.finalised_at, invoice.due_at = now, now + timedelta(days=seller.due_days)
    invoice.snapshot = {
        "seller": {
            "legal_name": seller.legal_name, "address": seller.address, "country": seller.country,
            "tax_id": seller.tax_id,
        },
        "customer": {
            "name": profile.name, "address": profile.address, "country": profile.country,
            "region": profile.region, "vat_id": profile.vat_id, "email": profile.email, "organisation": tenant.name,
        },
        "brand": brand,
        "tax": {"title": invoice.tax_title, "rate": str(invoice.tax_rate), "note": invoice.tax_note} | several,
    }  # fmt: skip


def _brand(seller: Seller) -> str:
    owner = session().get(Tenant, seller.reseller_id)
    return owner.name if owner else seller.legal_name


def paid(invoice: Invoice, amount: Money, *, key: str, description: str) -> Money:
    """Record money received for a finalised invoice; returns what counted towards it. `key` comes from the payment.

    Never more than is due: what is beyond is the caller's to keep as account credit.
    """
    kept = min(amount, invoice.due)
    if kept:
        recover(invoice)
        ledger.post(
            f"{key}:received",
            "payment",
            [("cash", kept), ("receivable", -kept)],
            seller_id=invoice.seller_id,
            source=f"invoice:{invoice.id}",
            description=description,
        )
        invoice.amount_paid += kept.amount
    close_if_settled(invoice)
    return kept


def close_if_settled(invoice: Invoice) -> bool:
    """Where nothing is due any more the invoice is paid, once: by money, credit, credit notes, or all of them."""
    if invoice.due or invoice.paid_at is not None or invoice.status == "void":
        return False
    invoice.paid_at = clock.now()
    if invoice.number:  # without one, `number` sets the status at the end of this transaction
        invoice.status = "paid"
    emit(
        "invoice.paid",
        subject=f"invoice:{invoice.id}",
        payload={"invoice_id": str(invoice.id), "total": invoice.total, "currency": invoice.currency,
                 "subscription_id": str(invoice.subscription_id) if invoice.subscription_id else None,
                 "amount_paid": invoice.amount_paid, "amount_credited": invoice.amount_credited,
                 "amount_noted": invoice.amount_noted},
    )  # fmt: skip
    return True


def reopen(invoice: Invoice) -> None:
    """A payment went back without a credit note: what it had paid is owed again."""
    recover(invoice)
    invoice.status, invoice.paid_at = "open", None
    emit(
        "invoice.reopened",
        subject=f"invoice:{invoice.id}",
        payload={"invoice_id": str(invoice.id), "due": invoice.due.amount, "currency": invoice.currency},
    )


def recover(invoice: Invoice) -> None:
    """Take a write-off back: the invoice is open again, before money, a credit note or a void touches it."""
    if not invoice.amount_written_off:
        return
    back, source = Money(invoice.amount_written_off, invoice.currency), f"invoice:{invoice.id}"
    ledger.post(
        ledger.turn(f"{source}:recovered"),
        "recovery",
        [("receivable", back), ("write_off", -back)],
        seller_id=invoice.seller_id,
        source=source,
        description=f"Write-off of invoice {invoice.number} taken back",
    )
    invoice.amount_written_off, invoice.status = 0, "open"


def nothing_on_its_way(invoice: Invoice) -> None:
    """Conflict where an attempt to pay may still become money."""
    query = select(Payment.id).where(Payment.invoice_id == invoice.id, Payment.status.in_(OPEN))
    if session().scalar(query.limit(1)) is not None:
        raise Conflict(
            _("A payment for this is on its way."), fix=_("Wait until it is settled, then try again.")
        )


def locked(invoice_id: UUID) -> Invoice:
    """The invoice with its row locked and read afresh; NotFound where it is not this organisation's."""
    return database.locked(Invoice, invoice_id, NotFound(_("There is no such invoice.")))
