"""Budgets, alerts and pauses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

SCHEMA = "plugin_budgets"


def _row() -> list[sa.Column[object]]:
    return [
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    ]


def _of_budget(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["budget_id"], [f"{SCHEMA}.budget.id"], name=f"fk_{table}_budget_id", ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "budget",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("at_limit", sa.String(5), nullable=False),
        sa.Column("pause_services", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("override_until", sa.Date(), nullable=True),
        sa.Column("override_reason", sa.String(300), nullable=False),
        sa.Column("override_by", sa.String(120), nullable=False),
        *_row(),
        sa.CheckConstraint("amount > 0", name="ck_budget_amount"),
        sa.CheckConstraint("at_limit in ('tell', 'block', 'pause')", name="ck_budget_at_limit"),
        sa.PrimaryKeyConstraint("id", name="pk_budget"),
        sa.UniqueConstraint("tenant_id", "project_id", name="uq_budget_tenant_id_project_id"),
        schema=SCHEMA,
    )
    op.create_index("ix_budget_tenant_id", "budget", ["tenant_id"], schema=SCHEMA)
    op.create_table(
        "alert",
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        *_row(),
        _of_budget("alert"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint(
            "tenant_id", "budget_id", "month", "percent", name="uq_alert_tenant_id_budget_id_month_percent"
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "pause",
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        *_row(),
        _of_budget("pause"),
        sa.PrimaryKeyConstraint("id", name="pk_pause"),
        schema=SCHEMA,
    )
    op.create_index(
        "uq_pause_open", "pause", ["tenant_id", "service_id"], unique=True, schema=SCHEMA,
        postgresql_where=sa.text("ended_at is null"),
    )  # fmt: skip
    for table in ("alert", "pause"):
        for column in ("budget_id", "tenant_id"):
            op.create_index(f"ix_{table}_{column}", table, [column], schema=SCHEMA)


def downgrade() -> None:
    for table in ("pause", "alert", "budget"):
        op.drop_table(table, schema=SCHEMA)
