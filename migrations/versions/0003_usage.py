"""Billing: usage. Events, their sums by day, the keys of unique meters, and what was rated of a month."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0003"
down_revision = "core_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "usage_event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.String(length=100), nullable=False),
        sa.Column("meter", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Numeric(precision=24, scale=9), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("corrects", sa.Uuid(), nullable=True),
        sa.Column("replaced_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reason in ('', 'unknown_meter', 'no_subscription', 'outside_window', 'withdrawn')",
            name=op.f("ck_usage_event_reason"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_event")),
        sa.UniqueConstraint("tenant_id", "event_id", name=op.f("uq_usage_event_tenant_id_event_id")),
        schema="core",
    )
    op.create_index(
        "ix_usage_event_tenant_id_meter_at",
        "usage_event",
        ["tenant_id", "meter", "at"],
        unique=False,
        schema="core",
    )
    op.create_index(
        "ix_usage_event_unmatched",
        "usage_event",
        ["tenant_id", "id"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("reason not in ('', 'withdrawn')"),
    )
    op.create_table(
        "usage_day",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("meter", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("total", sa.Numeric(), nullable=False),
        sa.Column("highest", sa.Numeric(), nullable=False),
        sa.Column("last_value", sa.Numeric(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_id", sa.String(length=100), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area", sa.Numeric(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_day")),
        sa.UniqueConstraint(
            "tenant_id", "meter", "subject", "day", name=op.f("uq_usage_day_tenant_id_meter_subject_day")
        ),
        schema="core",
    )
    op.create_index("ix_usage_day_day", "usage_day", ["day"], unique=False, schema="core")
    op.create_table(
        "usage_key",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("meter", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_key")),
        sa.UniqueConstraint(
            "tenant_id",
            "meter",
            "subject",
            "day",
            "key",
            name=op.f("uq_usage_key_tenant_id_meter_subject_day_key"),
        ),
        schema="core",
    )
    op.create_table(
        "usage_closing",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("meter", sa.String(length=80), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("interim", sa.Boolean(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_usage_closing_number")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["core.subscription.id"], name=op.f("fk_usage_closing_subscription_id")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["core.invoice.id"], name=op.f("fk_usage_closing_invoice_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_closing")),
        sa.UniqueConstraint(
            "tenant_id",
            "subscription_id",
            "meter",
            "period_start",
            "number",
            name="uq_usage_closing_month",
        ),
        schema="core",
    )
    op.create_index(
        op.f("ix_usage_closing_invoice_id"), "usage_closing", ["invoice_id"], unique=False, schema="core"
    )


def downgrade() -> None:
    op.drop_table("usage_closing", schema="core")
    op.drop_table("usage_key", schema="core")
    op.drop_table("usage_day", schema="core")
    op.drop_table("usage_event", schema="core")
    op.execute("drop function if exists core.usage_event_is_kept()")
