"""The rule and its attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SCHEMA = "plugin_auto_topup"


def _row() -> list[sa.Column[object]]:
    return [
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "rule",
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("threshold", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("method_id", sa.Uuid(), nullable=True),
        sa.Column("crossing", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("tried_on", sa.Date(), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed_by", sa.String(120), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        *_row(),
        sa.CheckConstraint(
            "threshold >= 0 and amount > 0 and (cap is null or cap >= amount)", name="ck_rule_amounts"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rule"),
        sa.UniqueConstraint("tenant_id", name="uq_rule_tenant_id"),
        schema=SCHEMA,
    )
    op.create_index("ix_rule_tenant_id", "rule", ["tenant_id"], schema=SCHEMA)
    op.create_table(
        "attempt",
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("method_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("card", sa.String(60), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("message", sa.String(300), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        *_row(),
        sa.CheckConstraint("status in ('charging', 'succeeded', 'declined')", name="ck_attempt_status"),
        sa.PrimaryKeyConstraint("id", name="pk_attempt"),
        sa.UniqueConstraint("tenant_id", "key", name="uq_attempt_tenant_id_key"),
        schema=SCHEMA,
    )
    op.create_index("ix_attempt_tenant_id", "attempt", ["tenant_id"], schema=SCHEMA)


def downgrade() -> None:
    for table in ("attempt", "rule"):
        op.drop_table(table, schema=SCHEMA)
