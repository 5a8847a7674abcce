"""Paid invoices and what is given back of them, for tests of plugins that live off sales."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from sqlalchemy import func, select

from chom_core.billing import ledger
from chom_core.billing.models import Invoice, LedgerAccount, LedgerBalance, Seller
from chom_core.billing.rules.cycles import Cycle
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import credit_notes, invoices, sellers
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.partners import terms, wholesale
from chom_core.database import clock, everyone, transaction
from chom_core.values import BillingPeriod, Money, uuid7
from chom_core.work import enqueue

if TYPE_CHECKING:
    from chom_sdk.testing.world import Organisation, World


def sell(
    organisation: Organisation,
    price: Money,
    *,
    start: datetime | None = None,
    period: BillingPeriod = BillingPeriod.MONTHLY,
    pay: bool = True,
) -> UUID:
    """A finalised invoice for a plan's period at `price` before discounts and tax, paid by credit that was put in.

    Every hook of a bill is asked, and every event said; `run_jobs` delivers them.
    """
    with transaction(organisation.id):
        at = start or clock.now()
        span = Cycle.of(period, at, "UTC").containing(at)
        bill = invoices.rate(price.currency, [Charge("sample", "plan", "Sample plan", price, period=span)])
        made = invoices.draft(bill, seller=sellers.seller(), subscription_id=None, period=span)
        if pay and bill.total:
            accounts.grant_account_credit(bill.total, f"sample/{uuid7()}", "Paid in by a test")
        invoices.finalise(made)
        invoices.number(made)
        return made.id


def give_back(organisation: Organisation, invoice_id: UUID, money: Money | None = None) -> None:
    """A credit note on the invoice: all of it, or an amount with tax."""
    with transaction(organisation.id):
        credit_notes.issue(invoice_id, money, "credit", reason="In a test", key=f"sample/{uuid7()}")


def totals(organisation: Organisation, invoice_id: UUID) -> tuple[Money, Money]:
    """An invoice's discounts and its total."""
    with transaction(organisation.id) as here:
        of = here.get_one(Invoice, invoice_id)
        off = sum(-line.amount for line in of.lines if line.kind == "discount")
        return Money(off, of.currency), Money(of.total, of.currency)


def sells(reseller: Organisation, mode: Literal["wholesale", "share", ""] = "wholesale") -> None:
    """A reseller becomes a seller, by these terms; "": nothing is agreed yet."""
    with transaction(reseller.id):
        sellers.ensure_seller(f"{reseller.name} Ltd")
        if mode:
            terms.choose(mode)


def balances(organisation: Organisation, currency: str = "USD") -> dict[tuple[str, str], int]:
    """What stands on the ledger of an organisation, in minor units by (the seller's legal name, account)."""
    with everyone("a test looks at the ledger") as here:
        query = (
            select(Seller.legal_name, LedgerAccount.code, func.sum(LedgerBalance.balance))
            .join(LedgerAccount, LedgerAccount.seller_id == Seller.id)
            .join(LedgerBalance, LedgerBalance.account_id == LedgerAccount.id)
            .where(LedgerAccount.tenant_id == organisation.id, LedgerAccount.currency == currency)
            .group_by(Seller.legal_name, LedgerAccount.code)
        )
        return {(name, code): int(total) for name, code, total in here.execute(query) if total}


def settle(reseller: Organisation) -> None:
    """What happens each night for a reseller; `run_jobs` does what follows."""
    with transaction():
        enqueue(wholesale.SETTLE, tenant_id=reseller.id)


def books(world: World) -> list[str]:
    """What is wrong with the ledger of everybody; empty where all is well."""
    with everyone("contract: the books") as here:
        return ledger.check(here)
