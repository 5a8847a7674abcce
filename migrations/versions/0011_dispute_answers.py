"""Billing: why a payment is disputed and until when that takes an answer, and the one answer that each bank gets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0011"
down_revision = "core_0010"
branch_labels = None
depends_on = None

ANSWERS = ("draft", "sending", "sent", "refused")


def upgrade() -> None:
    for column in (
        sa.Column("reason", sa.String(length=60), server_default="", nullable=False),
        sa.Column("evidence_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    ):
        op.add_column("dispute", column, schema="core")
    op.create_table(
        "dispute_answer",
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("decided_by", sa.String(length=254), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('evidence', 'accept')", name=op.f("ck_dispute_answer_kind")),
        sa.CheckConstraint(f"status in {ANSWERS}", name=op.f("ck_dispute_answer_status")),
        sa.CheckConstraint("(status = 'draft') = (key = '')", name=op.f("ck_dispute_answer_key")),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["core.dispute.id"], name=op.f("fk_dispute_answer_dispute_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute_answer")),
        sa.UniqueConstraint("tenant_id", "dispute_id", name=op.f("uq_dispute_answer_tenant_id_dispute_id")),
        schema="core",
    )
    op.create_index(op.f("ix_dispute_answer_tenant_id"), "dispute_answer", ["tenant_id"], schema="core")


def downgrade() -> None:
    op.drop_table("dispute_answer", schema="core")
    for column in ("answered", "evidence_due", "reason"):
        op.drop_column("dispute", column, schema="core")
