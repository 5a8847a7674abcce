"""How a reseller and the platform settle, and the statement of each month: the same customers, rated twice."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Numeric, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Model, TenantRow

MODES = ("wholesale", "share")


class Settlement(TenantRow, Model):
    """A reseller's terms. wholesale: it sells, and owes `base` + `seat` × customers + pooled use, monthly.

    share: the platform sells; the reseller earns `share_percent` of what its customers pay. `fixed_at`: the first
    invoice of one of its customers, after which the mode stays. `pool`: {meter: {"included", "unit"}}, included units
    for each seat and the price of one beyond all seats together, in major units as text. Months count from `anchor`.
    """

    __tablename__ = "settlement"
    __table_args__ = (
        UniqueConstraint("tenant_id"),
        CheckConstraint(f"mode in {MODES}", name="mode"),
        CheckConstraint("base >= 0 and seat >= 0", name="prices"),
        CheckConstraint("share_percent between 0 and 100", name="share"),
    )

    mode: Mapped[str] = mapped_column(String(9))
    currency: Mapped[str] = mapped_column(String(3))
    base: Mapped[int] = mapped_column(BigInteger)
    seat: Mapped[int] = mapped_column(BigInteger)
    share_percent: Mapped[Decimal] = mapped_column(Numeric(7, 4))
    pool: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    anchor: Mapped[datetime]
    billed_until: Mapped[datetime]
    fixed_at: Mapped[datetime | None]


class Looked(TenantRow, Model):
    """How far the ledgers of a reseller's customers were looked at, for one purpose: `share` or `collected`.

    All transactions before the id `after` are seen, and of those that follow the ones in `seen` (`partners.changed`).
    """

    __tablename__ = "looked"
    __table_args__ = (UniqueConstraint("tenant_id", "purpose"),)

    tenant_id: Mapped[UUID] = mapped_column()  # a unique key begins with it: no index of its own
    purpose: Mapped[str] = mapped_column(String(20))
    after: Mapped[UUID]
    seen: Mapped[list[str]] = mapped_column(JSONB, default=list)


class WholesaleStatement(TenantRow, Model):
    """One month of a reseller, rated twice: what its customers were invoiced, and what it owes for them.

    `lines`: one for each customer (organisation, name, retail, use by meter). `invoice_id`: the platform's invoice.
    """

    __tablename__ = "wholesale_statement"
    __table_args__ = (UniqueConstraint("tenant_id", "period_start"),)

    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    currency: Mapped[str] = mapped_column(String(3))
    seats: Mapped[int]
    retail: Mapped[int] = mapped_column(BigInteger)
    wholesale: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    invoice_id: Mapped[UUID | None]
