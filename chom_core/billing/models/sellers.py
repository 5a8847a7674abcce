"""Who sells, under which numbers, and who buys."""

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Model, PlatformRow, ResellerRow, TenantRow


class Seller(ResellerRow, Model):
    """The platform or a reseller as a legal person. `gateway` names the gateway plugin it takes payments with.

    `numbering`: "seller" counts all its invoices in one series (INV-000001), "customer" each customer's in a series
    of its own (prefix, the customer's number, the invoice's: BENT-1-001-001). Credit notes always have one series.
    `oss`: a seller in the EU is registered for the One Stop Shop, and charges people the rate of their own country.
    """

    __tablename__ = "seller"
    __table_args__ = (
        UniqueConstraint("reseller_id"),
        CheckConstraint("numbering in ('seller', 'customer')", name="numbering"),
    )

    legal_name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(Text, default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    tax_id: Mapped[str] = mapped_column(String(40), default="")
    number_prefix: Mapped[str] = mapped_column(String(20), default="INV-")
    note_prefix: Mapped[str] = mapped_column(String(20), default="CN-", server_default="CN-")
    numbering: Mapped[str] = mapped_column(String(10), default="seller", server_default="seller")
    gateway: Mapped[str] = mapped_column(String(40), default="")
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    due_days: Mapped[int] = mapped_column(default=7)
    oss: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


class NumberSeries(PlatformRow, Model):
    """The last number given out in a seller's series. Its row is locked last and briefly: hence no gaps.

    A platform row, because a customer's own unit of work finalises the invoice that takes the number.
    """

    __tablename__ = "number_series"
    __table_args__ = (UniqueConstraint("seller_id", "series"),)

    seller_id: Mapped[UUID]
    series: Mapped[str] = mapped_column(String(60))
    last: Mapped[int] = mapped_column(BigInteger, default=0)


class BillingProfile(TenantRow, Model):
    """Who pays in this organisation. Locking its row puts this organisation's billing verbs in line.

    `consolidate`: subscriptions whose periods end on the same local day are renewed by one invoice.
    `billing_day`: the day of the month on which the periods of what is bought from now on begin; None: its own.
    """

    __held__ = True
    __tablename__ = "billing_profile"
    __table_args__ = (
        UniqueConstraint("tenant_id"),
        CheckConstraint("billing_day between 1 and 31", name="billing_day"),
    )

    name: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(Text, default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    region: Mapped[str] = mapped_column(String(3), default="", server_default="")
    vat_id: Mapped[str] = mapped_column(String(40), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    consolidate: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    billing_day: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    customer_number: Mapped[int | None]
