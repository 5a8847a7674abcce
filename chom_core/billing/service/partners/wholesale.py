"""Resellers and the platform. Wholesale: the same customers rated twice, and the platform's own invoice. Share: 20 %.

A month is settled when it is over: base, seats (customers that stood at its end) and the pooled use of all customers
beyond the pooled allowance. What was agreed is in `terms`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import func, select

from chom_core.audit.service import Subject, record
from chom_core.billing.models import Invoice, Seller, Settlement, Subscription, WholesaleStatement
from chom_core.billing.reads.sales import sale
from chom_core.billing.rules import pricing, splits
from chom_core.billing.service.invoicing import invoices, rating, sellers
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.partners import changed, earnings, terms
from chom_core.billing.service.subscribing import renewal
from chom_core.billing.service.usage import totals
from chom_core.database import PLATFORM_ID, Tenant, clock, current, restart, session, transaction
from chom_core.values.billing import TaxQuery
from chom_core.values.errors import NotFound
from chom_core.values.money import Money
from chom_core.values.period import Period

SETTLE, RUN = "billing.settle_reseller", "billing.settle_resellers"
MOST = 60


class Retail(Struct, frozen=True):
    """One customer in a month: what the reseller invoiced, net, and what was used by meter."""

    tenant_id: UUID
    name: str
    net: Money
    used: Mapping[str, Decimal]


def settle_due() -> int:
    """Settle what is over for the current reseller: statements and invoices made, or earnings posted. Commits."""
    found = terms.locked()
    if found is None:
        return 0
    terms.fix(found)
    if found.mode == "share":
        return share()
    made = 0
    while made < MOST:
        invoice_id = _month()
        if invoice_id is None:
            break
        made += 1
        restart()
        renewal.collect(invoice_id)
        restart()
    return made


def share() -> int:
    """Post the reseller's part of what its customers paid, by invoice, and follow refunds. How many invoices.

    Only what may have changed since the last time is looked at, also of customers that left. Again: nothing happens.
    """
    found = terms.locked()
    if found is None or found.mode != "share":
        return 0
    with changed.since_last("share") as sales:
        return sum(_part(found, customer, invoice_id) for customer, invoice_id in sales)


def _part(of: Settlement, customer: UUID, invoice_id: UUID) -> int:
    """The share of one invoice: earned when it is paid, measured against the whole, so that refunds reduce it."""
    seen, key = sale(customer, invoice_id), f"share/{invoice_id}"
    whole = splits.split(seen.net, {"reseller": of.share_percent}, "platform")["reseller"]
    known = earnings.known(key)
    if not whole or (known is None and not seen.paid):
        return 0
    if known is None:
        earnings.earn(str(of.tenant_id), "reseller", whole, key, f"invoice:{invoice_id}")
    earnings.claw_back(key, seen.net - seen.collected, seen.net)
    return 1


def _month() -> UUID | None:
    """Settle the first month that is over and not settled; the id of the platform's invoice for it."""
    tenant_id = current().tenant_id
    restart()
    # As staff: the invoice is the platform's, whose seller a reseller cannot see.
    with transaction(tenant_id, current().principal, _everyone=True):
        sellers.lock_profile()
        of = terms.locked()
        assert of is not None and tenant_id is not None
        month = terms.open_month(of)
        if month.end > clock.now():
            return None
        retail = [
            one for customer in _customers(tenant_id) if (one := _retail(customer, month, of)) is not None
        ]
        invoice = _invoice(of, month, retail)
        of.billed_until = month.end
        _statement(of, month, retail, invoice)
        invoices.finalise(invoice)
        session().flush()
        invoices.number(invoice)
        return invoice.id


def charges(of: Settlement, month: Period, retail: list[Retail]) -> list[Charge]:
    """What the platform charges for a month: base, seats, and pooled use beyond all seats' allowance."""
    code, seats = of.currency, len(retail)
    made = [Charge("", "charge", "Reseller platform", Money(of.base, code), period=month)]
    if seats:
        made.append(Charge("", "charge", f"{seats} seats", Money(of.seat, code), seats, month))
    for meter, pooled in sorted(of.pool.items()):
        used = totals.added(one.used[meter] for one in retail)
        tariff = pricing.per_unit(Decimal(pooled["unit"]), Decimal(pooled["included"]) * seats)
        amount = pricing.price(tariff, used, code)
        if amount:
            words = f"{meter}: {used.normalize():f} used, {tariff.included.normalize():f} pooled"
            made.append(Charge("", "usage", words[:300], amount, period=month))
    return made


def _invoice(of: Settlement, month: Period, retail: list[Retail]) -> Invoice:
    platform = session().scalar(select(Seller).where(Seller.reseller_id == PLATFORM_ID))
    if platform is None:
        raise NotFound(
            _("The platform sells nothing yet."), fix=_("Set up its seller under Staff → Settings.")
        )
    lines = rating.lines_of(charges(of, month, retail))
    who = sellers.customer(sellers.profile())
    query = TaxQuery(sellers.facts(platform), who, of.currency, lines, clock.now())
    bill = rating.bill(of.currency, lines, [], invoices.tax_on(query))
    return invoices.draft(bill, seller=platform, subscription_id=None, period=month)


def _statement(of: Settlement, month: Period, retail: list[Retail], invoice: Invoice) -> None:
    row = WholesaleStatement(
        tenant_id=of.tenant_id, period_start=month.start, period_end=month.end, currency=of.currency,
        seats=len(retail), retail=sum(one.net.amount for one in retail), wholesale=invoice.subtotal,
        invoice_id=invoice.id, lines=[_plain(one) for one in retail],
    )  # fmt: skip
    session().add(row)
    record("settlement.billed", Subject("settlement", of.id, of.mode), after={"seats": len(retail)})


def _retail(customer: Tenant, month: Period, of: Settlement) -> Retail | None:
    """None where it came after the month. A subscription may be older than its organisation: it was taken over, or
    a test clock stands before the day it was made.
    """
    with transaction(customer.id) as there:
        begun = there.scalar(select(func.min(Subscription.started_at))) or customer.created_at
        if min(begun, customer.created_at) >= month.end:
            return None
        query = select(func.coalesce(func.sum(Invoice.subtotal), 0)).where(
            Invoice.number.is_not(None), Invoice.status != "void", Invoice.currency == of.currency,
            Invoice.finalised_at >= month.start, Invoice.finalised_at < month.end,
        )  # fmt: skip
        net = Money(int(there.scalar(query) or 0), of.currency)
        used = {meter: totals.used(meter, month) for meter in of.pool}
    return Retail(customer.id, customer.name, net, used)


def _plain(one: Retail) -> dict[str, Any]:
    used = {meter: str(quantity) for meter, quantity in one.used.items()}
    return {"organisation": str(one.tenant_id), "name": one.name, "retail": one.net.amount, "used": used}


def _customers(reseller_id: UUID | None) -> list[Tenant]:
    return list(session().scalars(terms.customers(reseller_id).order_by(Tenant.id)))
