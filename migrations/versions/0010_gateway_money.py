"""Billing: whether a payment went to the reseller's own account, and earnings that are money held for somebody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0010"
down_revision = "core_0009"
branch_labels = None
depends_on = None

AGAINST = "ck_earning_against"


def upgrade() -> None:
    direct = sa.Column("direct", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("payment", direct, schema="core")
    against = sa.Column("against", sa.String(length=10), server_default="commission", nullable=False)
    op.add_column("earning", against, schema="core")
    op.create_check_constraint(op.f(AGAINST), "earning", "against in ('commission', 'cash')", schema="core")


def downgrade() -> None:
    op.drop_constraint(op.f(AGAINST), "earning", schema="core", type_="check")
    op.drop_column("earning", "against", schema="core")
    op.drop_column("payment", "direct", schema="core")
