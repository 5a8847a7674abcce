"""Billing: earnings, payouts, and how resellers settle."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0006"
down_revision = "core_0005"
branch_labels = None
depends_on = None

EARNERS = "kind in ('vendor', 'affiliate', 'reseller')"
TABLES = ("wholesale_statement", "settlement", "payout", "earning")


def upgrade() -> None:
    _earnings()
    _payouts()
    _settlements()


def _row() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def _keys(table: str) -> tuple[sa.PrimaryKeyConstraint]:
    return (sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),)


def _by_tenant(table: str) -> None:
    op.create_index(op.f(f"ix_{table}_tenant_id"), table, ["tenant_id"], unique=False, schema="core")


def _party() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("party", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=180), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
    )


def _earnings() -> None:
    op.create_table(
        "earning",
        *_party(),
        sa.Column("taken_back", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        *_row(),
        sa.CheckConstraint(EARNERS, name=op.f("ck_earning_kind")),
        sa.CheckConstraint("amount > 0 and taken_back between 0 and amount", name=op.f("ck_earning_amount")),
        *_keys("earning"),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_earning_tenant_id_key")),
        schema="core",
    )
    _by_tenant("earning")
    op.create_index(
        "ix_earning_party", "earning", ["tenant_id", "kind", "party", "currency"], unique=False, schema="core"
    )


def _payouts() -> None:
    op.create_table(
        "payout",
        *_party(),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        *_row(),
        sa.CheckConstraint(EARNERS, name=op.f("ck_payout_kind")),
        sa.CheckConstraint("status in ('pending', 'posted', 'voided')", name=op.f("ck_payout_status")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payout_amount")),
        sa.CheckConstraint("(status = 'pending') = (settled_at is null)", name=op.f("ck_payout_settled")),
        *_keys("payout"),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_payout_tenant_id_key")),
        schema="core",
    )
    _by_tenant("payout")
    op.create_index(
        "uq_payout_one_pending",
        "payout",
        ["tenant_id", "kind", "party", "currency"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("status = 'pending'"),
    )


def _settlements() -> None:
    op.create_table(
        "settlement",
        sa.Column("mode", sa.String(length=9), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("seat", sa.BigInteger(), nullable=False),
        sa.Column("share_percent", sa.Numeric(precision=7, scale=4), nullable=False),
        sa.Column("pool", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("anchor", sa.DateTime(timezone=True), nullable=False),
        sa.Column("billed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=True),
        *_row(),
        sa.CheckConstraint("mode in ('wholesale', 'share')", name=op.f("ck_settlement_mode")),
        sa.CheckConstraint("base >= 0 and seat >= 0", name=op.f("ck_settlement_prices")),
        sa.CheckConstraint("share_percent between 0 and 100", name=op.f("ck_settlement_share")),
        *_keys("settlement"),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_settlement_tenant_id")),
        schema="core",
    )
    _by_tenant("settlement")
    op.create_table(
        "wholesale_statement",
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("retail", sa.BigInteger(), nullable=False),
        sa.Column("wholesale", sa.BigInteger(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        *_row(),
        *_keys("wholesale_statement"),
        sa.UniqueConstraint(
            "tenant_id", "period_start", name=op.f("uq_wholesale_statement_tenant_id_period_start")
        ),
        schema="core",
    )
    _by_tenant("wholesale_statement")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table, schema="core")
