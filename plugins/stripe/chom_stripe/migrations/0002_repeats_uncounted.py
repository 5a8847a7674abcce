"""A repeated delivery writes nothing, so nobody counts them: most deliveries of a bad day are repeats."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SCHEMA = "plugin_stripe"


def upgrade() -> None:
    op.drop_column("webhook_event", "deliveries", schema=SCHEMA)


def downgrade() -> None:
    count = sa.Column("deliveries", sa.Integer(), nullable=False, server_default="1")
    op.add_column("webhook_event", count, schema=SCHEMA)
    op.alter_column("webhook_event", "deliveries", server_default=None, schema=SCHEMA)
