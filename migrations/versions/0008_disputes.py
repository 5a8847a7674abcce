"""Billing: credit that is held while a bank decides a dispute."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "core_0008"
down_revision = "core_0007"
branch_labels = None
depends_on = None

KIND = "ck_credit_use_kind"
BEFORE = ("applied", "unapplied", "returned", "refund", "refund_failed", "expired", "revoked")
NOW = (*BEFORE, "held", "released", "charged_back")


def _kinds(allowed: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(KIND), "credit_use", schema="core", type_="check")
    op.create_check_constraint(op.f(KIND), "credit_use", f"kind in {allowed}", schema="core")


def upgrade() -> None:
    op.add_column("credit_use", sa.Column("dispute", sa.String(length=120), nullable=True), schema="core")
    op.create_index(
        "ix_credit_use_dispute", "credit_use", ["tenant_id", "dispute"], schema="core",
        postgresql_where=sa.text("dispute is not null"),
    )  # fmt: skip
    _kinds(NOW)
    op.create_table(
        "dispute",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=4), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status in ('open', 'won', 'lost')", name=op.f("ck_dispute_status")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_dispute_amount")),
        sa.ForeignKeyConstraint(["payment_id"], ["core.payment.id"], name=op.f("fk_dispute_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("tenant_id", "reference", name=op.f("uq_dispute_tenant_id_reference")),
        schema="core",
    )
    for column in ("payment_id", "tenant_id"):
        op.create_index(op.f(f"ix_dispute_{column}"), "dispute", [column], schema="core")


def downgrade() -> None:
    op.drop_table("dispute", schema="core")
    _kinds(BEFORE)
    op.drop_index("ix_credit_use_dispute", table_name="credit_use", schema="core")
    op.drop_column("credit_use", "dispute", schema="core")
