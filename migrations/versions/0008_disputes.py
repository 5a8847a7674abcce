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


def downgrade() -> None:
    _kinds(BEFORE)
    op.drop_index("ix_credit_use_dispute", table_name="credit_use", schema="core")
    op.drop_column("credit_use", "dispute", schema="core")
