"""A purchase on its way: what ties the clicks, the attempts to pay, the invoice and the service together."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Model, TenantRow

STATUSES = ("open", "paying", "building", "done", "failed")


class Checkout(TenantRow, Model):
    """One purchase. Its id comes with the form, so that two clicks are one purchase.

    open: nothing decided · paying: an attempt runs or waits for the bank · building: the money is held while the
    service is built · done: paid and delivered · failed: the service could not be built, the hold was let go.
    """

    __tablename__ = "checkout"
    __table_args__ = (CheckConstraint(f"status in {STATUSES}", name="status"),)

    plan_code: Mapped[str] = mapped_column(String(60))
    billing_period: Mapped[str] = mapped_column(String(10))
    currency: Mapped[str] = mapped_column(String(3))
    quantity: Mapped[int] = mapped_column(default=1)
    service_name: Mapped[str] = mapped_column(String(120), default="")
    service_settings: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    promotion_code: Mapped[str] = mapped_column(String(40), default="", server_default="")
    amount: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(10), default="open")
    note: Mapped[str] = mapped_column(String(300), default="")
    subscription_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.subscription.id"))
    invoice_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.invoice.id"), index=True)
    service_id: Mapped[UUID | None] = mapped_column(index=True)
