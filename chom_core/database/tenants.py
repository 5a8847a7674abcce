"""The organisation's row (in code: Tenant), which the fence, the gate and the clock all read."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Connection, ForeignKey, String
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import clock
from chom_core.database.base import Model, PlatformRow


class Tenant(PlatformRow, Model):
    """An organisation: owns, pays, is fenced. The tree is platform → reseller → customer, at most three levels.

    `generation` counts up whenever anything changes that a process may cache of this organisation: switches,
    entitlements, trips, status, clock. `clock_at` is where its test clock stands, or None for real time.
    """

    __tablename__ = "tenant"
    __table_args__ = (
        CheckConstraint("kind in ('platform', 'reseller', 'customer')", name="kind"),
        CheckConstraint("(kind = 'platform') = (parent_id is null)", name="parent"),
    )

    __held__ = True

    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("core.tenant.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10), default="customer")
    name: Mapped[str] = mapped_column(String(120))
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    status: Mapped[str] = mapped_column(String(12), default="active", server_default="active")
    zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")
    locale: Mapped[str] = mapped_column(String(12), default="en_US", server_default="en_US")
    generation: Mapped[int] = mapped_column(default=1, server_default="1")
    clock_at: Mapped[datetime | None]


#: The root organisation: the operator itself. Its members are staff. Made by `ensure_platform` when migrating.
PLATFORM_ID = UUID("00000000-0000-7000-8000-000000000001")


def ensure_platform(connection: Connection) -> None:
    """Make the root organisation where it is missing; `chom setup` gives it its name later."""
    row = {
        "id": PLATFORM_ID,
        "kind": "platform",
        "name": "CHOM",
        "slug": "platform",
        "created_at": clock.machine(),
    }
    connection.execute(insert(Tenant).values(**row).on_conflict_do_nothing())
