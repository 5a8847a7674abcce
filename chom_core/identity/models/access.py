"""What lets somebody in: log-in sessions, API keys, and the count of failed attempts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Model, PlatformRow
from chom_core.identity.models.people import ROLE_CHECK


class LoginSession(PlatformRow, Model):
    """One browser that is logged in. The cookie holds a random token, this row its SHA-256 and the organisation
    the person works in there. It ends when it expires, lies idle too long, or is revoked."""

    __tablename__ = "login_session"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("core.person.id", ondelete="CASCADE"), index=True)
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.tenant.id", ondelete="SET NULL"))
    ip: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(255), default="")
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]


class ApiKey(PlatformRow, Model):
    """A key of an organisation for programs. `prefix` is shown in lists; of the secret only the SHA-256 is kept
    (it has 192 random bits, so a slow hash would protect nothing)."""

    __tablename__ = "api_key"
    __table_args__ = (CheckConstraint(ROLE_CHECK, name="role"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("core.tenant.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    prefix: Mapped[str] = mapped_column(String(20))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    role: Mapped[str] = mapped_column(String(7))
    scopes: Mapped[list[str]] = mapped_column(JSONB, default=list)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("core.person.id", ondelete="SET NULL"))
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class LoginAttempt(PlatformRow, Model):
    """The attempts of one kind (`login`, `forgot`, …) at one account or from one address, since they began.

    `key` is `account:<SHA-256 of the e-mail>` or `address:<network>`: no list of mistyped e-mails is kept.
    """

    __tablename__ = "login_attempt"
    __table_args__ = (UniqueConstraint("kind", "key"),)

    kind: Mapped[str] = mapped_column(String(12))
    key: Mapped[str] = mapped_column(String(80))
    count: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    blocked_until: Mapped[datetime]
