"""Alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SCHEMA = "plugin_usage_billing"


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("meter", sa.String(80), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint(
            "tenant_id", "subscription_id", "meter", "period_start", "percent", name="uq_alert_once"
        ),
        schema=SCHEMA,
    )
    op.create_index("ix_alert_tenant_id", "alert", ["tenant_id"], schema=SCHEMA)


def downgrade() -> None:
    op.drop_table("alert", schema=SCHEMA)
