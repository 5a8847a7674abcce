"""What branding keeps: the look of a reseller or of the platform, and the hosts it is shown under."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Model, PlatformRow, ResellerRow


class BrandRow(ResellerRow, Model):
    """The saved look of one reseller, or of the platform. `tokens` holds light, dark, fonts, layout."""

    __tablename__ = "brand"
    __table_args__ = (UniqueConstraint("reseller_id"),)

    name: Mapped[str] = mapped_column(String(80))
    theme: Mapped[str] = mapped_column(String(32), default="default")
    logo_url: Mapped[str] = mapped_column(String(300), default="")
    logo_dark_url: Mapped[str] = mapped_column(String(300), default="")
    favicon_url: Mapped[str] = mapped_column(String(300), default="")
    support_email: Mapped[str] = mapped_column(String(254), default="")
    support_url: Mapped[str] = mapped_column(String(300), default="")
    terms_url: Mapped[str] = mapped_column(String(300), default="")
    privacy_url: Mapped[str] = mapped_column(String(300), default="")
    footer: Mapped[str] = mapped_column(String(300), default="")
    mail_name: Mapped[str] = mapped_column(String(80), default="")
    mail_address: Mapped[str] = mapped_column(String(254), default="")
    tokens: Mapped[dict[str, dict[str, str]]] = mapped_column(JSONB, default=dict)
    words: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class BrandHost(PlatformRow, Model):
    """A host name under which a reseller's look is shown to people who are not logged in."""

    __tablename__ = "brand_host"

    host: Mapped[str] = mapped_column(String(253), unique=True)
    reseller_id: Mapped[UUID] = mapped_column(ForeignKey("core.tenant.id", ondelete="CASCADE"), index=True)
