"""The plugin's tables. A referral is between two organisations and belongs to neither, so all are platform rows.

Whoever reads them names the organisation: `owner_id` or `referrer_id` earns, `referred_id` was sent.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Numeric, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_sdk import PlatformRow, plugin_models

Base = plugin_models("referrals")

PROGRAMMES = ("customer", "affiliate", "partner")
CODE_STATUSES = ("requested", "active", "suspended", "refused")
STATUSES = ("pending", "converted", "refused")


class Code(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """A word that stands for `owner_id`, in capitals: `/r/<code>`. `alias` is its name on the leaderboard, if any.

    `percent`: a revenue share agreed with this one, in place of the programme's.
    """

    __tablename__ = "code"
    __table_args__ = (
        UniqueConstraint("code"),
        CheckConstraint(f"programme in {PROGRAMMES}", name="programme"),
        CheckConstraint(f"status in {CODE_STATUSES}", name="status"),
        CheckConstraint("percent between 0 and 100", name="percent"),
    )

    owner_id: Mapped[UUID] = mapped_column(index=True)
    code: Mapped[str] = mapped_column(String(40))
    programme: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10))
    alias: Mapped[str] = mapped_column(String(60), default="")
    about: Mapped[str] = mapped_column(String(500), default="")
    percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))


class ClickDay(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """How often a code's link was followed on a day (UTC), by where from."""

    __tablename__ = "click_day"
    __table_args__ = (UniqueConstraint("code_id", "day", "source"),)

    code_id: Mapped[UUID] = mapped_column(ForeignKey("plugin_referrals.code.id", ondelete="CASCADE"))
    day: Mapped[date] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(60))
    clicks: Mapped[int] = mapped_column(default=0)


class Referral(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """`referred_id` was sent by `referrer_id`, once and for ever. `terms`: what was promised on that day.

    `label` is what the referrer sees of the other: never more than a hint. `why`: of one that was refused.
    `discount_from`: when the newcomer's reduced months began.
    """

    __tablename__ = "referral"
    __table_args__ = (
        UniqueConstraint("referred_id"),
        CheckConstraint(f"status in {STATUSES}", name="status"),
    )

    code_id: Mapped[UUID] = mapped_column(
        ForeignKey("plugin_referrals.code.id", ondelete="CASCADE"), index=True
    )
    referrer_id: Mapped[UUID] = mapped_column(index=True)
    referred_id: Mapped[UUID]
    label: Mapped[str] = mapped_column(String(60))
    source: Mapped[str] = mapped_column(String(60), default="")
    status: Mapped[str] = mapped_column(String(10))
    why: Mapped[str] = mapped_column(String(20), default="")
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    clicked_at: Mapped[datetime]
    attributed_at: Mapped[datetime]
    converted_at: Mapped[datetime | None]
    discount_from: Mapped[datetime | None]


class Commission(PlatformRow, Base):  # type: ignore[misc, valid-type]
    """What one invoice earned the referrer. The money itself stands in the core's ledger under `key`.

    `base`: what was collected of the invoice, net, when it was earned; a refund is measured against it.
    """

    __tablename__ = "commission"
    __table_args__ = (
        UniqueConstraint("invoice_id"),
        CheckConstraint("amount >= 0 and taken_back between 0 and amount and base > 0", name="amount"),
    )

    referral_id: Mapped[UUID] = mapped_column(
        ForeignKey("plugin_referrals.referral.id", ondelete="CASCADE"), index=True
    )
    referrer_id: Mapped[UUID] = mapped_column(index=True)
    invoice_id: Mapped[UUID]
    key: Mapped[str] = mapped_column(String(100))
    nth: Mapped[int]
    base: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    taken_back: Mapped[int] = mapped_column(BigInteger, default=0)
    base_currency: Mapped[str] = mapped_column(String(3))
    currency: Mapped[str] = mapped_column(String(3))
    earned_at: Mapped[datetime]
    available_at: Mapped[datetime]
