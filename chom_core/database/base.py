"""Models and the tenancy they declare. A model without a tenancy fails the build and the migration.

Modules of models do better without `from __future__ import annotations`: SQLAlchemy reads `Mapped[…]` when it maps a
class, and five hundred columns whose annotations are text to be parsed again were thirty milliseconds of each boot.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chom_core.database import clock
from chom_core.values.ids import uuid7

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
#: Every instant is stored with its zone; Python sees UTC.
TYPES: dict[Any, Any] = {datetime: DateTime(timezone=True)}


class Model(DeclarativeBase):
    """Base of the core's tables, in the schema `core`."""

    metadata = MetaData(schema="core", naming_convention=NAMING)
    type_annotation_map = TYPES


class Row:
    """What every row has: an id made in Python (UUIDv7) and the business time of its making.

    `__held__`: who sells and who buys, and what is sold, is asked for again and again: until its transaction ends, a
    unit of work keeps such a row that it has read (`database.held`).
    """

    __held__: ClassVar[bool] = False
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    created_at: Mapped[datetime] = mapped_column(default=lambda: clock.now())


class TenantRow(Row):
    """A row of one organisation, fenced by a row policy and by the session's filter. Unique keys carry tenant_id."""

    __tenancy__: ClassVar[str] = "tenant"
    tenant_id: Mapped[UUID] = mapped_column(index=True)


class PlatformRow(Row):
    """A row that is nobody's or everybody's: people, memberships, sessions, nodes, jobs, events, enablement."""

    __tenancy__: ClassVar[str] = "platform"


class ResellerRow(Row):
    """A row of a reseller (or the platform): its customers read it, it alone writes it."""

    __tenancy__: ClassVar[str] = "reseller"
    __held__: ClassVar[bool] = True
    reseller_id: Mapped[UUID] = mapped_column(index=True)


class AppendOnly:
    """Beside a tenancy: the application may insert and read, never change or delete. Enforced by grants."""

    __append_only__: ClassVar[bool] = True


def plugin_models(plugin: str) -> type[DeclarativeBase]:
    """A declarative base of its own for `plugin`, in the schema `plugin_<name>`.

    One base per plugin: two plugins may both have a model `Note`, and no foreign key can cross.
    """
    metadata = MetaData(schema=f"plugin_{plugin}", naming_convention=NAMING)
    return type("Base", (DeclarativeBase,), {"metadata": metadata, "type_annotation_map": TYPES})
