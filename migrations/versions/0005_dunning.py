"""Billing: dunning, rates of tax, regions of customers, documents as they were drawn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0005"
down_revision = "core_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _profiles()
    _tax()
    _documents()
    _dunning()


def _row(fence: str = "tenant_id") -> tuple[sa.Column[object], ...]:
    return (
        sa.Column(fence, sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False, schema="core")


def _profiles() -> None:
    for table, column in (
        ("billing_profile", sa.Column("region", sa.String(length=3), server_default="", nullable=False)),
        ("seller", sa.Column("oss", sa.Boolean(), server_default=sa.text("true"), nullable=False)),
    ):
        op.add_column(table, column, schema="core")


def _tax() -> None:
    op.create_table(
        "tax_rate",
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=3), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("rate", sa.Numeric(precision=9, scale=4), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        *_row("reseller_id"),
        sa.CheckConstraint("rate >= 0 and rate < 100", name=op.f("ck_tax_rate_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_rate")),
        sa.UniqueConstraint(
            "reseller_id",
            "country",
            "region",
            "effective_from",
            name=op.f("uq_tax_rate_reseller_id_country_region_effective_from"),
        ),
        schema="core",
    )
    _index("tax_rate", "reseller_id")


def _documents() -> None:
    op.create_table(
        "document_file",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        *_row(),
        sa.CheckConstraint("kind in ('invoice', 'credit_note')", name=op.f("ck_document_file_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_file")),
        sa.UniqueConstraint(
            "tenant_id",
            "kind",
            "subject_id",
            "digest",
            name=op.f("uq_document_file_tenant_id_kind_subject_id_digest"),
        ),
        schema="core",
    )
    _index("document_file", "tenant_id")


def _dunning() -> None:
    op.create_table(
        "dunning_policy",
        sa.Column("retry_days", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("contact_rung", sa.Integer(), nullable=False),
        sa.Column("warn_days", sa.Integer(), nullable=False),
        sa.Column("suspend_day", sa.Integer(), nullable=False),
        sa.Column("end_day", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=6), nullable=False),
        *_row("reseller_id"),
        sa.CheckConstraint("outcome in ('keep', 'cancel')", name=op.f("ck_dunning_policy_outcome")),
        sa.CheckConstraint(
            "suspend_day between 1 and 365 and end_day between suspend_day and 730",
            name=op.f("ck_dunning_policy_days"),
        ),
        sa.CheckConstraint("warn_days between 1 and suspend_day", name=op.f("ck_dunning_policy_warn_days")),
        sa.CheckConstraint("contact_rung between 0 and 20", name=op.f("ck_dunning_policy_contact_rung")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_policy")),
        sa.UniqueConstraint("reseller_id", name=op.f("uq_dunning_policy_reseller_id")),
        schema="core",
    )
    _index("dunning_policy", "reseller_id")
    op.create_table(
        "dunning",
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=7), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        _at("started_at"),
        sa.Column("rung", sa.Integer(), nullable=False),
        _at("asked_at", nullable=True),
        _at("retry_at", nullable=True),
        _at("warn_at"),
        _at("told_at", nullable=True),
        _at("suspend_at"),
        _at("suspended_at", nullable=True),
        _at("end_at"),
        _at("next_at"),
        _at("closed_at", nullable=True),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=False),
        *_row(),
        sa.CheckConstraint(
            "status in ('open', 'settled', 'waived', 'ended')", name=op.f("ck_dunning_status")
        ),
        sa.CheckConstraint("(status = 'open') = (closed_at is null)", name=op.f("ck_dunning_closed")),
        sa.ForeignKeyConstraint(["invoice_id"], ["core.invoice.id"], name=op.f("fk_dunning_invoice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning")),
        sa.UniqueConstraint("tenant_id", "invoice_id", name=op.f("uq_dunning_tenant_id_invoice_id")),
        schema="core",
    )
    op.create_index(
        "ix_dunning_due",
        "dunning",
        ["next_at"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("status = 'open'"),
    )
    _index("dunning", "invoice_id", "tenant_id")
    op.create_table(
        "dunning_step",
        sa.Column("dunning_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        _at("at"),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("by", sa.String(length=254), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        *_row(),
        sa.ForeignKeyConstraint(["dunning_id"], ["core.dunning.id"], name=op.f("fk_dunning_step_dunning_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["core.payment.id"], name=op.f("fk_dunning_step_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_step")),
        sa.UniqueConstraint(
            "tenant_id", "dunning_id", "key", name=op.f("uq_dunning_step_tenant_id_dunning_id_key")
        ),
        schema="core",
    )
    _index("dunning_step", "tenant_id")
    op.create_table(
        "dunning_hold",
        sa.Column("dunning_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        _at("released_at", nullable=True),
        *_row(),
        sa.ForeignKeyConstraint(["dunning_id"], ["core.dunning.id"], name=op.f("fk_dunning_hold_dunning_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_hold")),
        sa.UniqueConstraint(
            "tenant_id",
            "dunning_id",
            "service_id",
            name=op.f("uq_dunning_hold_tenant_id_dunning_id_service_id"),
        ),
        schema="core",
    )
    _index("dunning_hold", "service_id", "tenant_id")


def downgrade() -> None:
    """Loses the ladders, the sellers' rates of tax, and the drawn documents, which can be drawn again."""
    for table in ("dunning_hold", "dunning_step", "dunning", "dunning_policy", "document_file", "tax_rate"):
        op.drop_table(table, schema="core")
    op.drop_column("seller", "oss", schema="core")
    op.drop_column("billing_profile", "region", schema="core")
