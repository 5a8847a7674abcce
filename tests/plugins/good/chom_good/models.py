"""One table, in the plugin's own schema."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from chom_sdk import TenantRow, plugin_models

Base = plugin_models("good")


class Note(TenantRow, Base):  # type: ignore[misc, valid-type]
    """A note, perhaps about a service."""

    __tablename__ = "note"

    text: Mapped[str] = mapped_column(String(200))
    service_id: Mapped[UUID | None]
    seen: Mapped[int] = mapped_column(default=0)
