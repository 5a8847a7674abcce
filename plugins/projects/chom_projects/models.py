"""The plugin's tables, in its own schema. Ids of services are the core's; no foreign key crosses to it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chom_sdk import TenantRow, plugin_models

Base = plugin_models("projects")


class Project(TenantRow, Base):  # type: ignore[misc, valid-type]
    """A group of services. `colour` is #rrggbb; `icon` names a picture of the app's set."""

    __tablename__ = "project"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str] = mapped_column(String(60))
    description: Mapped[str] = mapped_column(String(200), default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    colour: Mapped[str] = mapped_column(String(7))
    icon: Mapped[str] = mapped_column(String(40))
    tags: Mapped[list[str]] = mapped_column(ARRAY(String(30)), default=list)


class ProjectService(TenantRow, Base):  # type: ignore[misc, valid-type]
    """A service in a project; the unique key keeps it in at most one."""

    __tablename__ = "project_service"
    __table_args__ = (UniqueConstraint("tenant_id", "service_id"),)

    project_id: Mapped[UUID] = mapped_column(
        ForeignKey("plugin_projects.project.id", ondelete="CASCADE"), index=True
    )
    service_id: Mapped[UUID]
