"""Billing: use billed early at a limit, and the billing day that a customer chose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0007"
down_revision = "core_0006"
branch_labels = None
depends_on = None

DAY = "ck_billing_profile_billing_day"


def upgrade() -> None:
    op.add_column("billing_profile", sa.Column("billing_day", sa.Integer(), nullable=True), schema="core")
    op.create_check_constraint(op.f(DAY), "billing_profile", "billing_day between 1 and 31", schema="core")
    limits = postgresql.JSONB(astext_type=sa.Text())
    none = sa.text("'{}'::jsonb")
    op.add_column(
        "plan", sa.Column("usage_limits", limits, server_default=none, nullable=False), schema="core"
    )


def downgrade() -> None:
    op.drop_column("plan", "usage_limits", schema="core")
    op.drop_constraint(op.f(DAY), "billing_profile", schema="core", type_="check")
    op.drop_column("billing_profile", "billing_day", schema="core")
