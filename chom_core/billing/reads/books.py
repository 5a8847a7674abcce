"""The whole ledger, read: what a check has proven, and every entry for an accountant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chom_core.billing import checks
from chom_core.billing.models import LedgerAccount, LedgerEntry, LedgerTransaction
from chom_core.database import Tenant
from chom_core.values.money import Money

COLUMNS = (
    "at", "organisation_id", "organisation", "transaction_id", "key", "kind", "description", "source",
    "account", "party", "seller_id", "debit", "credit", "currency",
)  # fmt: skip
_PROVEN = """
select (select count(*) from core.ledger_transaction) as transactions,
       (select count(*) from core.ledger_entry) as entries, (select count(*) from core.ledger_account) as accounts,
       (select count(*) from core.invoice where number is not null) as invoices,
       (select count(*) from core.payment where status = 'succeeded') as payments,
       (select count(*) from core.credit_grant) as grants, (select count(*) from core.earning) as earnings,
       (select count(*) from core.payout) as payouts
"""


def proven(session: Session) -> str:
    """What a check without faults has proven, in one line."""
    counts = session.execute(text(_PROVEN)).one()._asdict()
    many = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    return f"the ledger holds: {len(checks.ALL)} rules over {many}"


def entries(
    session: Session, since: datetime | None = None, until: datetime | None = None
) -> Iterator[tuple[str, ...]]:
    """Every entry that `session` sees, oldest first, as texts under COLUMNS; amounts in major units."""
    query = (
        select(LedgerTransaction, LedgerEntry, LedgerAccount, Tenant.name)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(Tenant, Tenant.id == LedgerTransaction.tenant_id)
        .order_by(LedgerTransaction.effective_at, LedgerTransaction.id, LedgerEntry.id)
        .execution_options(yield_per=1000)
    )
    if since is not None:
        query = query.where(LedgerTransaction.effective_at >= since)
    if until is not None:
        query = query.where(LedgerTransaction.effective_at < until)
    columns = (
        LedgerTransaction.effective_at, LedgerTransaction.tenant_id, Tenant.name, LedgerTransaction.id,
        LedgerTransaction.key, LedgerTransaction.kind, LedgerTransaction.description, LedgerTransaction.source,
        LedgerAccount.code, LedgerAccount.party, LedgerAccount.seller_id, LedgerEntry.amount, LedgerEntry.currency,
    )  # fmt: skip
    for at, *facts, amount, currency in session.execute(
        query.with_only_columns(*columns, maintain_column_froms=True)
    ):
        major = str(abs(Money(amount, currency).major))
        sides = (major, "") if amount > 0 else ("", major)
        yield (at.isoformat(), *(str(fact) for fact in facts), *sides, currency)
