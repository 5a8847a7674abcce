"""Coupons: what takes off how much for how long; the codes people type; and who has redeemed what."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Model, PlatformRow, ResellerRow, TenantRow

DURATIONS = ("once", "repeating", "forever")


class Coupon(ResellerRow, Model):
    """`percent` (25 is a quarter) or `amount` (minor units of `currency`) off, before tax.

    Duration: "once" (an amount that one invoice could not use up goes on with the next), "repeating" for
    `repeats` invoices, or "forever". `plans`: the codes it is for, empty for all. `stacks`: may stand beside others.
    `per_customer`: how often one customer may redeem it.
    """

    __tablename__ = "coupon"
    __table_args__ = (
        UniqueConstraint("reseller_id", "name"),
        CheckConstraint("(percent is null) <> (amount is null)", name="percent_or_amount"),
        CheckConstraint("percent > 0 and percent <= 100", name="percent"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("(amount is null) = (currency = '')", name="currency"),
        CheckConstraint(f"duration in {DURATIONS}", name="duration"),
        CheckConstraint("(duration = 'repeating') = (repeats is not null)", name="repeating"),
        CheckConstraint("repeats > 0", name="repeats"),
        CheckConstraint("max_redemptions > 0", name="max_redemptions"),
        CheckConstraint("per_customer > 0", name="per_customer"),
    )

    name: Mapped[str] = mapped_column(String(120))
    percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    amount: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="")
    duration: Mapped[str] = mapped_column(String(9))
    repeats: Mapped[int | None]
    plans: Mapped[list[str]] = mapped_column(JSONB, default=list)
    stacks: Mapped[bool] = mapped_column(default=True)
    max_redemptions: Mapped[int | None]
    per_customer: Mapped[int | None]
    starts_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)


class PromotionCode(ResellerRow, Model):
    """A word that redeems a coupon, in capitals; with limits of its own. `first_time`: for who never paid before."""

    __tablename__ = "promotion_code"
    __table_args__ = (
        UniqueConstraint("reseller_id", "code"),
        CheckConstraint("max_redemptions > 0", name="max_redemptions"),
    )

    coupon_id: Mapped[UUID] = mapped_column(ForeignKey("core.coupon.id"), index=True)
    code: Mapped[str] = mapped_column(String(40))
    max_redemptions: Mapped[int | None]
    first_time: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)


class CouponCount(PlatformRow, Model):
    """How often a coupon or a promotion code is redeemed. One conditional UPDATE decides who gets the last one.

    A platform row, because the customer's own unit of work counts, and may not write the seller's catalogue.
    """

    __tablename__ = "coupon_count"
    __table_args__ = (UniqueConstraint("subject_id"), CheckConstraint("redeemed >= 0", name="redeemed"))

    subject_id: Mapped[UUID]
    redeemed: Mapped[int] = mapped_column(default=0)


class CouponRedemption(TenantRow, Model):
    """A coupon that a customer holds: for one subscription, or for all of them where `subscription_id` is null.

    How often and how much it was used is read from the invoice lines that name it, so a void gives it back.
    Its terms are frozen here: a coupon that staff change or end later keeps its word to who has it.
    """

    __tablename__ = "coupon_redemption"
    __table_args__ = (
        CheckConstraint("status in ('active', 'released', 'ended')", name="status"),
        Index(
            "uq_coupon_redemption_once_per_subscription",
            "tenant_id",
            "coupon_id",
            "subscription_id",
            unique=True,
            postgresql_where=text("status = 'active'"),
        ),
    )

    coupon_id: Mapped[UUID] = mapped_column(ForeignKey("core.coupon.id"), index=True)
    promotion_code_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.promotion_code.id"))
    subscription_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.subscription.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    code: Mapped[str] = mapped_column(String(40), default="")
    percent: Mapped[Decimal | None] = mapped_column(Numeric(7, 4))
    amount: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="")
    duration: Mapped[str] = mapped_column(String(9))
    repeats: Mapped[int | None]
    plans: Mapped[list[str]] = mapped_column(JSONB, default=list)
    stacks: Mapped[bool] = mapped_column(default=True)
    status: Mapped[str] = mapped_column(String(8), default="active")
    redeemed_at: Mapped[datetime]
