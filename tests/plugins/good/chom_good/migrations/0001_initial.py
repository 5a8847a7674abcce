"""Notes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "note",
        sa.Column("text", sa.String(200), nullable=False),
        sa.Column("service_id", sa.Uuid()),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_note"),
        schema="plugin_good",
    )
    op.create_index("ix_note_tenant_id", "note", ["tenant_id"], schema="plugin_good")


def downgrade() -> None:
    op.drop_table("note", schema="plugin_good")
