"""What the plugin remembers. `mode` (sandbox, test, live) keeps the objects of different Stripe accounts apart."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_sdk import PlatformRow, TenantRow, plugin_models

Base = plugin_models("stripe")


class Customer(TenantRow, Base):  # type: ignore[misc, valid-type]
    """The organisation's customer object at Stripe: its cards hang on it."""

    __tablename__ = "customer"
    __table_args__ = (UniqueConstraint("tenant_id", "mode"),)

    mode: Mapped[str] = mapped_column(String(10))
    reference: Mapped[str] = mapped_column(String(120))


class ConnectedAccount(TenantRow, Base):  # type: ignore[misc, valid-type]
    """The organisation's account at Stripe, as it was when last heard of: whatever it earns is paid there.

    `sells`: payments of its own customers can be made on its behalf (card_payments is active, for resellers).
    """

    __tablename__ = "connected_account"
    __table_args__ = (UniqueConstraint("tenant_id", "mode"),)

    mode: Mapped[str] = mapped_column(String(10))
    reference: Mapped[str] = mapped_column(String(120))
    ready: Mapped[bool] = mapped_column(default=False)
    sells: Mapped[bool] = mapped_column(default=False)
    needs: Mapped[list[str]] = mapped_column(JSONB, default=list)


class Attempt(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """A key under which something was asked of Stripe, saved before the call and kept for ever.

    Stripe forgets idempotency keys after a day: an old attempt without a `reference` is looked for there first.
    `destination` of a payment: the connected account whose money it is, "" for the platform's. Decided with the row, so
    that a second try asks for the very same. None: asked before there were destinations (or no payment).
    """

    __tablename__ = "attempt"
    __table_args__ = (UniqueConstraint("mode", "key"),)

    mode: Mapped[str] = mapped_column(String(10))
    key: Mapped[str] = mapped_column(String(250))
    owner_id: Mapped[UUID]
    sent_at: Mapped[datetime]
    reference: Mapped[str] = mapped_column(String(120), default="", index=True)
    destination: Mapped[str | None] = mapped_column(String(120))


class WebhookEvent(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """An event Stripe told of, once, however often it was delivered. The row and its job are one transaction.

    status: received, done, ignored. `note` says why, or what came of it.
    """

    __tablename__ = "webhook_event"
    __table_args__ = (UniqueConstraint("mode", "event_id"),)

    mode: Mapped[str] = mapped_column(String(10))
    event_id: Mapped[str] = mapped_column(String(120))
    type: Mapped[str] = mapped_column(String(80))
    object_id: Mapped[str] = mapped_column(String(120), index=True)
    happened_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(10), default="received")
    note: Mapped[str] = mapped_column(String(300), default="")


class Dispute(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """A payment that a bank questions, as Stripe says; inquiries, too, which move no money and are unknown to core.

    `recovered`: what of a reseller's transfer is to come back for it; None until that is decided.
    """

    __tablename__ = "dispute"
    __table_args__ = (UniqueConstraint("mode", "reference"),)

    mode: Mapped[str] = mapped_column(String(10))
    reference: Mapped[str] = mapped_column(String(120))
    owner_id: Mapped[UUID]
    intent: Mapped[str] = mapped_column(String(120))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(30))
    reason: Mapped[str] = mapped_column(String(60), default="")
    evidence_due: Mapped[datetime | None]
    recovered: Mapped[int | None] = mapped_column(BigInteger)


class Difference(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """Where our books and Stripe's differ. `repair` names what was done by itself; `resolved_at`: it is gone."""

    __tablename__ = "difference"
    __table_args__ = (UniqueConstraint("mode", "kind", "subject"),)

    mode: Mapped[str] = mapped_column(String(10))
    kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(250))
    ours: Mapped[str] = mapped_column(String(200), default="")
    theirs: Mapped[str] = mapped_column(String(200), default="")
    repair: Mapped[str] = mapped_column(String(200), default="")
    seen_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]


class SandboxObject(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """An object of the sandbox, in Stripe's own shape. `parent` is the object it is listed by."""

    __tablename__ = "sandbox_object"

    reference: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    parent: Mapped[str] = mapped_column(String(120), default="", index=True)
    at: Mapped[datetime]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)


class SandboxCall(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """An idempotency key of the sandbox with its first answer; after a day of business time it counts as forgotten."""

    __tablename__ = "sandbox_call"

    key: Mapped[str] = mapped_column(String(255), unique=True)
    asked: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[int] = mapped_column(default=0)
    answer: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]


class SandboxFault(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """A fault that waits for the next calls (or events): `left` more times."""

    __tablename__ = "sandbox_fault"

    name: Mapped[str] = mapped_column(String(20), unique=True)
    left: Mapped[int] = mapped_column(default=0)
