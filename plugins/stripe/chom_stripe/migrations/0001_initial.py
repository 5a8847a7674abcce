"""Customers, payout accounts, attempts, webhooks, disputes, differences, and the sandbox's own tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

SCHEMA = "plugin_stripe"
TABLES = (
    "customer",
    "connected_account",
    "attempt",
    "webhook_event",
    "dispute",
    "difference",
    "sandbox_object",
    "sandbox_call",
    "sandbox_fault",
)


def _text(name: str, length: int) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(), nullable=False)


def _table(name: str, *parts: sa.schema.SchemaItem, tenant: bool = False) -> None:
    row: list[sa.schema.SchemaItem] = [sa.Column("id", sa.Uuid(), nullable=False), _time("created_at")]
    if tenant:
        row.insert(0, sa.Column("tenant_id", sa.Uuid(), nullable=False))
    op.create_table(name, *parts, *row, sa.PrimaryKeyConstraint("id", name=f"pk_{name}"), schema=SCHEMA)
    if tenant:
        _index(name, "tenant_id")


def _index(table: str, column: str) -> None:
    op.create_index(f"ix_{table}_{column}", table, [column], schema=SCHEMA)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def upgrade() -> None:
    _table(
        "customer",
        _text("mode", 10),
        _text("reference", 120),
        _unique("customer", "tenant_id", "mode"),
        tenant=True,
    )
    _table(
        "connected_account", _text("mode", 10), _text("reference", 120),
        sa.Column("ready", sa.Boolean(), nullable=False), _json("needs"),
        _unique("connected_account", "tenant_id", "mode"), tenant=True,
    )  # fmt: skip
    _table(
        "attempt", _text("mode", 10), _text("key", 250), sa.Column("owner_id", sa.Uuid(), nullable=False),
        _time("sent_at"), _text("reference", 120), _unique("attempt", "mode", "key"),
    )  # fmt: skip
    _index("attempt", "reference")
    _table(
        "webhook_event", _text("mode", 10), _text("event_id", 120), _text("type", 80), _text("object_id", 120),
        _time("happened_at"), _text("status", 10), _text("note", 300),
        sa.Column("deliveries", sa.Integer(), nullable=False), _unique("webhook_event", "mode", "event_id"),
    )  # fmt: skip
    _index("webhook_event", "object_id")
    _table(
        "dispute", _text("mode", 10), _text("reference", 120), sa.Column("owner_id", sa.Uuid(), nullable=False),
        _text("intent", 120), sa.Column("amount", sa.BigInteger(), nullable=False), _text("currency", 3),
        _text("status", 30), _text("reason", 60), _time("evidence_due", nullable=True),
        _unique("dispute", "mode", "reference"),
    )  # fmt: skip
    _table(
        "difference", _text("mode", 10), _text("kind", 20), _text("subject", 250), _text("ours", 200),
        _text("theirs", 200), _text("repair", 200), _time("seen_at"), _time("resolved_at", nullable=True),
        _unique("difference", "mode", "kind", "subject"),
    )  # fmt: skip
    _table(
        "sandbox_object", _text("reference", 120), _text("kind", 40), _text("parent", 120), _time("at"), _json("body"),
        _unique("sandbox_object", "reference"),
    )  # fmt: skip
    _index("sandbox_object", "kind")
    _index("sandbox_object", "parent")
    _table(
        "sandbox_call", _text("key", 255), _json("asked"), sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False), _time("at"), _unique("sandbox_call", "key"),
    )  # fmt: skip
    _table(
        "sandbox_fault", _text("name", 20), sa.Column("left", sa.Integer(), nullable=False),
        _unique("sandbox_fault", "name"),
    )  # fmt: skip


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema=SCHEMA)
