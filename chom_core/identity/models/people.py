"""People, what they belong to, and the links they were mailed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chom_core.database import Model, PlatformRow, Tenant

ROLE_CHECK = "role in ('owner', 'admin', 'member', 'viewer', 'billing')"


class Person(PlatformRow, Model):
    """Somebody with an e-mail address and a password, apart from the organisations they belong to."""

    __tablename__ = "person"
    __table_args__ = (
        Index("uq_person_email_lower", func.lower(text("email")), unique=True),
        CheckConstraint("theme in ('', 'light', 'dark')", name="theme"),
    )

    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(255), default="")
    email_verified_at: Mapped[datetime | None]
    locale: Mapped[str] = mapped_column(String(12), default="en_US", server_default="en_US")
    zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")
    theme: Mapped[str] = mapped_column(String(5), default="", server_default="")
    disabled_at: Mapped[datetime | None]

    def __repr__(self) -> str:
        return f"<Person {self.id}>"


class Membership(PlatformRow, Model):
    """A person's role in an organisation."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("person_id", "tenant_id"), CheckConstraint(ROLE_CHECK, name="role"))

    person_id: Mapped[UUID] = mapped_column(ForeignKey("core.person.id", ondelete="CASCADE"))
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("core.tenant.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(7))

    person: Mapped[Person] = relationship(lazy="raise")
    tenant: Mapped[Tenant] = relationship(lazy="raise")


class EmailToken(PlatformRow, Model):
    """A link that was mailed: works once, until it expires. Only its SHA-256 is kept.

    `person_id` is None where nobody has the address (an invitation to a newcomer, or a reset asked for a stranger:
    it is written all the same, so that both answers take as long). `payload` holds what the link will do.
    """

    __tablename__ = "email_token"
    __table_args__ = (
        CheckConstraint("purpose in ('verify', 'reset', 'invite')", name="purpose"),
        Index("ix_email_token_open", "person_id", "purpose", postgresql_where=text("used_at is null")),
    )

    purpose: Mapped[str] = mapped_column(String(6))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.person.id", ondelete="CASCADE"))
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class Invitation(PlatformRow, Model):
    """An offer of a role in an organisation, to an address. Its link is `token_id`; resending makes a new one."""

    __tablename__ = "invitation"
    __table_args__ = (
        CheckConstraint(ROLE_CHECK, name="role"),
        CheckConstraint("state in ('open', 'accepted', 'declined', 'cancelled')", name="state"),
        Index(
            "uq_invitation_open",
            "tenant_id",
            func.lower(text("email")),
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("core.tenant.id", ondelete="CASCADE"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(7))
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("core.person.id", ondelete="SET NULL"))
    token_id: Mapped[UUID] = mapped_column(ForeignKey("core.email_token.id"), unique=True)
    state: Mapped[str] = mapped_column(String(9), default="open")
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
