"""The one table of the audit floor."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import AppendOnly, Model, TenantRow, clock

ACTORS = ("person", "staff", "key", "system", "anonymous")


class AuditEntry(AppendOnly, TenantRow, Model):
    """One thing that somebody did. Its organisation sees it; what concerns the whole platform carries PLATFORM_ID.

    `at` is machine time: a test clock cannot move it (`created_at` is the organisation's own time). `before` and
    `after` hold only what changed, never a secret. Names and labels are copied: they outlive who and what they name.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (
        CheckConstraint("actor_kind in ('person', 'staff', 'key', 'system', 'anonymous')", name="actor_kind"),
        Index("ix_audit_entry_tenant_id_at", "tenant_id", "at", "id"),
        Index("ix_audit_entry_tenant_id_subject", "tenant_id", "subject_type", "subject_id"),
    )

    at: Mapped[datetime] = mapped_column(default=clock.machine)
    actor_kind: Mapped[str] = mapped_column(String(9))
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(String(254), default="")
    action: Mapped[str] = mapped_column(String(80))
    subject_type: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[str] = mapped_column(String(80), default="")
    subject_label: Mapped[str] = mapped_column(String(254), default="")
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    reason: Mapped[str] = mapped_column(Text, default="")
    request_id: Mapped[str] = mapped_column(String(64), default="")
    ip: Mapped[str] = mapped_column(String(45), default="")
