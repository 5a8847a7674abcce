"""What notifications keep: the inbox, what people want to hear by which way, and every mail ever sent."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Encrypted, Model, PlatformRow, TenantRow


class Notification(TenantRow, Model):
    """One message in one person's inbox of one organisation. `key` makes it exist once however often it is sent."""

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("tenant_id", "person_id", "key"),
        CheckConstraint("category in ('billing', 'support', 'system', 'services')", name="category"),
        Index("ix_notification_inbox", "tenant_id", "person_id", "id"),
        Index("ix_notification_unread", "tenant_id", "person_id", postgresql_where=text("read_at is null")),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("core.person.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(80))
    category: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text, default="")
    link: Mapped[str] = mapped_column(String(500), default="")
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    key: Mapped[str] = mapped_column(String(200))
    read_at: Mapped[datetime | None]


class NotificationPreference(PlatformRow, Model):
    """A person's own choice for one type in one channel; where there is none, the type's default holds."""

    __tablename__ = "notification_preference"
    __table_args__ = (UniqueConstraint("person_id", "type", "channel"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("core.person.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(80))
    channel: Mapped[str] = mapped_column(String(40))
    on: Mapped[bool]


class MailMessage(PlatformRow, Model):
    """A mail, as it is or will be sent: outbox and log in one. `sensitive` ones hold a link that lets somebody in.

    `id` is also its Message-ID, so a receiver can tell a repeat from a new mail. `attempts` counts tries to send.
    """

    __tablename__ = "mail_message"
    __table_args__ = (
        CheckConstraint("status in ('queued', 'sent', 'failed')", name="status"),
        Index("ix_mail_message_tenant_id_id", "tenant_id", "id"),
        Index("ix_mail_message_open", "id", postgresql_where=text("status <> 'sent'")),
    )

    tenant_id: Mapped[UUID | None]
    type: Mapped[str] = mapped_column(String(80))
    to: Mapped[str] = mapped_column(String(254))
    to_name: Mapped[str] = mapped_column(String(120), default="")
    sender: Mapped[str] = mapped_column(String(400))
    reply_to: Mapped[str] = mapped_column(String(254), default="")
    subject: Mapped[str] = mapped_column(String(300))
    html: Mapped[str] = mapped_column(Encrypted)
    text: Mapped[str] = mapped_column(Encrypted)
    sensitive: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(String(6), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    key: Mapped[str] = mapped_column(String(255), unique=True)
    sent_at: Mapped[datetime | None]

    def __repr__(self) -> str:
        return f"<MailMessage {self.id} {self.status}>"
