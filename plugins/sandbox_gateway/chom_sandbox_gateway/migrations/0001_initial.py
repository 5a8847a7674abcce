"""Cards, charges and calls of the sandbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

SCHEMA = "plugin_sandbox_gateway"


def _row() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "card",
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("behaviour", sa.String(20), nullable=False),
        sa.Column("brand", sa.String(20), nullable=False),
        sa.Column("last4", sa.String(4), nullable=False),
        sa.Column("expiry_month", sa.Integer(), nullable=False),
        sa.Column("expiry_year", sa.Integer(), nullable=False),
        *_row(),
        sa.PrimaryKeyConstraint("id", name="pk_card"),
        sa.UniqueConstraint("reference", name="uq_card_reference"),
        schema=SCHEMA,
    )
    op.create_table(
        "charge",
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("card", sa.String(80), nullable=False),
        sa.Column("description", sa.String(300), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("capture", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        *_row(),
        sa.CheckConstraint(
            "status in ('waiting', 'held', 'taken', 'declined', 'cancelled')", name="ck_charge_status"
        ),
        sa.CheckConstraint("amount > 0", name="ck_charge_amount"),
        sa.CheckConstraint("refunded between 0 and amount", name="ck_charge_refunded"),
        sa.PrimaryKeyConstraint("id", name="pk_charge"),
        sa.UniqueConstraint("reference", name="uq_charge_reference"),
        schema=SCHEMA,
    )
    op.create_table(
        "call",
        sa.Column("key", sa.String(250), nullable=False),
        sa.Column("asked", postgresql.JSONB(), nullable=False),
        sa.Column("answer", postgresql.JSONB(), nullable=False),
        *_row(),
        sa.PrimaryKeyConstraint("id", name="pk_call"),
        sa.UniqueConstraint("key", name="uq_call_key"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    for table in ("call", "charge", "card"):
        op.drop_table(table, schema=SCHEMA)
