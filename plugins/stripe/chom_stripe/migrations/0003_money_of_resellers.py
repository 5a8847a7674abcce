"""Where a payment's money was to go, decided once, before Stripe is asked; and which accounts may take payments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SCHEMA = "plugin_stripe"


def upgrade() -> None:
    op.add_column("attempt", sa.Column("destination", sa.String(120), nullable=True), schema=SCHEMA)
    sells: sa.Column[bool] = sa.Column("sells", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    op.add_column("connected_account", sells, schema=SCHEMA)
    op.alter_column("connected_account", "sells", server_default=None, schema=SCHEMA)


def downgrade() -> None:
    op.drop_column("connected_account", "sells", schema=SCHEMA)
    op.drop_column("attempt", "destination", schema=SCHEMA)
