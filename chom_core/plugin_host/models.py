"""What the plugin host keeps: what is installed, who switched what, what plans grant, what is tripped."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Encrypted, Model, PlatformRow, TenantRow


class InstalledPlugin(PlatformRow, Model):
    """A plugin whose schema has been made here, at the revision `head`, answering `hooks`."""

    __tablename__ = "installed_plugin"

    name: Mapped[str] = mapped_column(String(40), unique=True)
    version: Mapped[str] = mapped_column(String(40))
    level: Mapped[str] = mapped_column(String(10))
    head: Mapped[str] = mapped_column(String(120), default="")
    hooks: Mapped[list[str]] = mapped_column(JSONB, default=list)
    scopes: Mapped[list[str]] = mapped_column(JSONB, default=list)
    updated_at: Mapped[datetime]


class PluginSwitch(PlatformRow, Model):
    """A decision about a plugin in an organisation: by its owner, by its parent (the grant), or by staff."""

    __tablename__ = "plugin_switch"
    __table_args__ = (
        UniqueConstraint("tenant_id", "plugin", "by"),
        CheckConstraint("by in ('owner', 'parent', 'staff')", name="by"),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("core.tenant.id", ondelete="CASCADE"), index=True)
    plugin: Mapped[str] = mapped_column(String(40))
    by: Mapped[str] = mapped_column(String(6))
    on: Mapped[bool]
    person: Mapped[str] = mapped_column(String(120), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    scopes: Mapped[list[str]] = mapped_column(JSONB, default=list)
    at: Mapped[datetime]


class Entitlement(PlatformRow, Model):
    """A feature that a plan or an add-on gives an organisation. `source` names the subscription item."""

    __tablename__ = "entitlement"
    __table_args__ = (UniqueConstraint("tenant_id", "plugin", "source"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("core.tenant.id", ondelete="CASCADE"), index=True)
    plugin: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(120))
    label: Mapped[str] = mapped_column(String(120))


class Breaker(PlatformRow, Model):
    """A plugin that keeps failing for an organisation: open until `retry_at`, then one probe decides."""

    __tablename__ = "breaker"
    __table_args__ = (UniqueConstraint("tenant_id", "plugin"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("core.tenant.id", ondelete="CASCADE"), index=True)
    plugin: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(9))
    failures: Mapped[int] = mapped_column(default=0)
    trips: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")


class PluginSettings(TenantRow, Model):
    """A plugin's settings in an organisation: plain values as JSON, secrets encrypted beside them."""

    __tablename__ = "plugin_settings"
    __table_args__ = (UniqueConstraint("tenant_id", "plugin"),)

    plugin: Mapped[str] = mapped_column(String(40))
    values: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    secrets: Mapped[str | None] = mapped_column(Encrypted)
