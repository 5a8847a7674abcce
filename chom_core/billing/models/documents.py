"""Rates of tax that a seller sets, and documents as they were drawn."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Model, ResellerRow, TenantRow


class TaxRate(ResellerRow, Model):
    """What a seller charges customers of `country` (and of its `region`: a US state), in percent, from a day on.

    The newest that has begun holds. It goes before the built-in rate of the country.
    """

    __tablename__ = "tax_rate"
    __table_args__ = (
        UniqueConstraint("reseller_id", "country", "region", "effective_from"),
        CheckConstraint("rate >= 0 and rate < 100", name="rate"),
    )

    country: Mapped[str] = mapped_column(String(2))
    region: Mapped[str] = mapped_column(String(3), default="")
    title: Mapped[str] = mapped_column(String(60))
    rate: Mapped[Decimal] = mapped_column(Numeric(9, 4))
    effective_from: Mapped[date]


class DocumentFile(TenantRow, Model):
    """A drawn document. `digest` is made from the template and all that stands on it: the same is drawn once."""

    __tablename__ = "document_file"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "subject_id", "digest"),
        CheckConstraint("kind in ('invoice', 'credit_note')", name="kind"),
    )

    kind: Mapped[str] = mapped_column(String(12))
    subject_id: Mapped[UUID]
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
