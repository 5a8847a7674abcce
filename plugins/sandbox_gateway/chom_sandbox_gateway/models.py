"""The sandbox's own book. It stands for an outside company, so its rows belong to no organisation of CHOM."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_sdk import PlatformRow, plugin_models

Base = plugin_models("sandbox_gateway")


class Card(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """A saved test card. Its number is not here: `behaviour` says which of the test cards it was."""

    __tablename__ = "card"

    reference: Mapped[str] = mapped_column(String(80), unique=True)
    customer_id: Mapped[UUID]
    behaviour: Mapped[str] = mapped_column(String(20))
    brand: Mapped[str] = mapped_column(String(20))
    last4: Mapped[str] = mapped_column(String(4))
    expiry_month: Mapped[int]
    expiry_year: Mapped[int]


class Charge(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """Money that would have moved. waiting: for the bank page; held: authorised; taken; declined; cancelled."""

    __tablename__ = "charge"
    __table_args__ = (
        CheckConstraint("status in ('waiting', 'held', 'taken', 'declined', 'cancelled')", name="status"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("refunded between 0 and amount", name="refunded"),
    )

    reference: Mapped[str] = mapped_column(String(80), unique=True)
    customer_id: Mapped[UUID]
    card: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(String(300))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    capture: Mapped[bool]
    status: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(40), default="")
    refunded: Mapped[int] = mapped_column(BigInteger, default=0)
    return_url: Mapped[str] = mapped_column(Text, default="")
    changed_at: Mapped[datetime]


class Call(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """An idempotency key, kept for ever: what was asked under it, and what was answered."""

    __tablename__ = "call"

    key: Mapped[str] = mapped_column(String(250), unique=True)
    asked: Mapped[dict[str, Any]] = mapped_column(JSONB)
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
