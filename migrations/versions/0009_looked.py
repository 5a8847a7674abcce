"""Billing: how far a reseller's share has looked through its customers' ledgers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0009"
down_revision = "core_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kept = postgresql.JSONB(astext_type=sa.Text())
    none = sa.text("'{}'::jsonb")
    op.add_column("settlement", sa.Column("looked", kept, server_default=none, nullable=False), schema="core")


def downgrade() -> None:
    op.drop_column("settlement", "looked", schema="core")
