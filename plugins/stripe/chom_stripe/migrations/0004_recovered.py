"""What of a reseller's transfer comes back for a dispute."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("dispute", sa.Column("recovered", sa.BigInteger(), nullable=True), schema="plugin_stripe")


def downgrade() -> None:
    op.drop_column("dispute", "recovered", schema="plugin_stripe")
