"""Projects and their services."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

SCHEMA = "plugin_projects"


def _row() -> list[sa.Column[object]]:
    return [
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "project",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("description", sa.String(200), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("colour", sa.String(7), nullable=False),
        sa.Column("icon", sa.String(40), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.String(30)), nullable=False),
        *_row(),
        sa.PrimaryKeyConstraint("id", name="pk_project"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_project_tenant_id_name"),
        schema=SCHEMA,
    )
    op.create_index("ix_project_tenant_id", "project", ["tenant_id"], schema=SCHEMA)
    op.create_table(
        "project_service",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        *_row(),
        sa.ForeignKeyConstraint(
            ["project_id"],
            [f"{SCHEMA}.project.id"],
            name="fk_project_service_project_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_project_service"),
        sa.UniqueConstraint("tenant_id", "service_id", name="uq_project_service_tenant_id_service_id"),
        schema=SCHEMA,
    )
    for column in ("project_id", "tenant_id"):
        op.create_index(f"ix_project_service_{column}", "project_service", [column], schema=SCHEMA)


def downgrade() -> None:
    for table in ("project_service", "project"):
        op.drop_table(table, schema=SCHEMA)
