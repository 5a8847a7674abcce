"""The books: append-only, double entry. A deferred trigger (ddl.py) refuses a transaction that does not sum to zero."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chom_core.database import AppendOnly, Model, PlatformRow, TenantRow
from chom_core.values.money import Money


class LedgerAccount(TenantRow, AppendOnly, Model):
    """One account of a seller's books with one customer (`tenant_id`). `code` stands in the chart (ledger.CHART).

    `party` is whom a payable is owed to (a vendor, an affiliate), empty elsewhere.
    """

    __tablename__ = "ledger_account"
    __table_args__ = (UniqueConstraint("tenant_id", "seller_id", "code", "party", "currency"),)

    seller_id: Mapped[UUID]
    code: Mapped[str] = mapped_column(String(40))
    party: Mapped[str] = mapped_column(String(80), default="")
    currency: Mapped[str] = mapped_column(String(3))


class LedgerBalance(TenantRow, Model):
    """The sum of an account's entries: a projection, kept for speed, that `ledger.check` recomputes."""

    __tablename__ = "ledger_balance"
    __table_args__ = (UniqueConstraint("tenant_id", "account_id"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("core.ledger_account.id"))
    balance: Mapped[int] = mapped_column(BigInteger, default=0)


class LedgerTransaction(TenantRow, AppendOnly, Model):
    """Something that happened to money. `key` comes from the business object: it can be posted once, for ever."""

    __tablename__ = "ledger_transaction"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(40))
    description: Mapped[str] = mapped_column(String(300))
    source: Mapped[str] = mapped_column(String(120))
    effective_at: Mapped[datetime]

    entries: Mapped[list["LedgerEntry"]] = relationship(
        lazy="selectin", order_by="LedgerEntry.id", viewonly=True
    )


class LedgerEntry(TenantRow, AppendOnly, Model):
    """Debit is positive, credit negative, in minor units of `currency`."""

    __tablename__ = "ledger_entry"
    __table_args__ = (CheckConstraint("amount <> 0", name="amount"),)

    transaction_id: Mapped[UUID] = mapped_column(ForeignKey("core.ledger_transaction.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("core.ledger_account.id"), index=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))

    account: Mapped[LedgerAccount] = relationship(lazy="joined", viewonly=True)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class BooksCheck(PlatformRow, Model):
    """A check of all books: how many faults, the first of them in words, and what there was to prove."""

    __tablename__ = "books_check"

    faults: Mapped[list[str]] = mapped_column(JSONB, default=list)
    count: Mapped[int]
    proven: Mapped[str] = mapped_column(String(500))
