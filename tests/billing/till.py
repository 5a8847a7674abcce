"""Invoices of any lines, cards, and how the money stands: for tests of credit, credit notes and refunds."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from chom_core.billing import ledger
from chom_core.billing.models import Invoice, Payment
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import invoices, rating, sellers
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.paying import methods, payments
from chom_core.database import restart, transaction
from chom_core.values import Money, uuid7
from chom_core.values.billing import TaxAnswer
from tests.billing.shop import GOOD

Line = tuple[str, int]


def drafted(*lines: Line | int, tax: str = "0", currency: str = "USD") -> Invoice:
    """A draft in the current unit: lines of (kind, minor units), or minor units of a plan."""
    charges = [
        Charge("x", kind, f"{kind} {place}", Money(cents, currency))
        for place, (kind, cents) in enumerate(
            (one if isinstance(one, tuple) else ("plan", one)) for one in lines
        )
    ]
    answer = TaxAnswer("VAT", Decimal(tax)) if Decimal(tax) else None
    bill = rating.bill(currency, rating.lines_of(charges), [], answer)
    return invoices.draft(bill, seller=sellers.seller(), subscription_id=None, period=None)


def finalised(made: Invoice) -> UUID:
    """Finalise a draft in the current unit, number it, commit."""
    invoices.finalise(made)
    invoices.number(made)
    restart()
    return made.id


def invoice(tenant: UUID, *lines: Line | int, tax: str = "0", currency: str = "USD") -> UUID:
    """A finalised invoice."""
    with transaction(tenant):
        sellers.lock_profile()
        return finalised(drafted(*lines, tax=tax, currency=currency))


def card(tenant: UUID, number: str = GOOD) -> UUID:
    with transaction(tenant):
        return methods.add_method("USD", {"test_card": number}).id


def pay(tenant: UUID, invoice_id: UUID, number: str = GOOD) -> UUID:
    """Pay what is due by card; returns the payment."""
    method_id = card(tenant, number)
    with transaction(tenant):
        sellers.lock_profile()
        begun = payments.begin(invoices.locked(invoice_id), methods.method(method_id), uuid7().hex)
        return payments.send(begun.id).id


def topped_up(tenant: UUID, cents: int, number: str = GOOD, currency: str = "USD") -> UUID:
    """A top-up; returns the payment."""
    method_id = card(tenant, number)
    with transaction(tenant):
        return accounts.top_up(Money(cents, currency), method_id, uuid7().hex).id


def look(tenant: UUID, invoice_id: UUID) -> Invoice:
    with transaction(tenant) as here:
        return here.scalars(select(Invoice).where(Invoice.id == invoice_id)).one()


def payment(tenant: UUID, payment_id: UUID) -> Payment:
    with transaction(tenant) as here:
        return here.scalars(select(Payment).where(Payment.id == payment_id)).one()


def due(tenant: UUID, invoice_id: UUID) -> int:
    return look(tenant, invoice_id).due.amount


def owes(tenant: UUID, currency: str = "USD") -> int:
    """What the customer owes in all, by the ledger; below zero it is the customer's money."""
    with transaction(tenant):
        codes = ("receivable", "customer_credit", "promotional_credit", "refund_clearing", "dispute_hold")
        return sum(ledger.balance(code, currency).amount for code in codes)


def left(tenant: UUID, kind: str = "account", currency: str = "USD") -> int:
    """The credit of a kind that is left, by its grants."""
    with transaction(tenant):
        return accounts.balance(kind, currency).amount
