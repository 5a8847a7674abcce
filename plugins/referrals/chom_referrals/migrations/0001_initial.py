"""Codes, clicks, referrals, commissions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

SCHEMA = "plugin_referrals"


def _text(name: str, length: int) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _uuid(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _big(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(
        name, *parts, _uuid("id"), _time("created_at"), sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        schema=SCHEMA,
    )  # fmt: skip


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{SCHEMA}.{target}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE"
    )


def _index(table: str, column: str) -> None:
    op.create_index(f"ix_{table}_{column}", table, [column], schema=SCHEMA)


def upgrade() -> None:
    _table(
        "code", _uuid("owner_id"), _text("code", 40), _text("programme", 10), _text("status", 10),
        _text("alias", 60), _text("about", 500), sa.Column("percent", sa.Numeric(7, 4), nullable=True),
        sa.UniqueConstraint("code", name="uq_code_code"),
        sa.CheckConstraint("programme in ('customer', 'affiliate', 'partner')", name="ck_code_programme"),
        sa.CheckConstraint("status in ('requested', 'active', 'suspended', 'refused')", name="ck_code_status"),
        sa.CheckConstraint("percent between 0 and 100", name="ck_code_percent"),
    )  # fmt: skip
    _index("code", "owner_id")
    _table(
        "click_day", _uuid("code_id"), sa.Column("day", sa.Date(), nullable=False), _text("source", 60),
        sa.Column("clicks", sa.Integer(), nullable=False), _to("click_day", "code_id", "code"),
        sa.UniqueConstraint("code_id", "day", "source", name="uq_click_day_code_id_day_source"),
    )  # fmt: skip
    _table(
        "referral", _uuid("code_id"), _uuid("referrer_id"), _uuid("referred_id"), _text("label", 60),
        _text("source", 60), _text("status", 10), _text("why", 20),
        sa.Column("terms", postgresql.JSONB(), nullable=False), _time("clicked_at"), _time("attributed_at"),
        _time("converted_at", nullable=True), _time("discount_from", nullable=True),
        _to("referral", "code_id", "code"), sa.UniqueConstraint("referred_id", name="uq_referral_referred_id"),
        sa.CheckConstraint("status in ('pending', 'converted', 'refused')", name="ck_referral_status"),
    )  # fmt: skip
    for column in ("code_id", "referrer_id"):
        _index("referral", column)
    _table(
        "commission", _uuid("referral_id"), _uuid("referrer_id"), _uuid("invoice_id"), _text("key", 100),
        sa.Column("nth", sa.Integer(), nullable=False), _big("base"), _big("amount"), _big("taken_back"),
        _text("base_currency", 3), _text("currency", 3), _time("earned_at"), _time("available_at"),
        _to("commission", "referral_id", "referral"),
        sa.UniqueConstraint("invoice_id", name="uq_commission_invoice_id"),
        sa.CheckConstraint(
            "amount >= 0 and taken_back between 0 and amount and base > 0", name="ck_commission_amount"
        ),
    )  # fmt: skip
    for column in ("referral_id", "referrer_id"):
        _index("commission", column)


def downgrade() -> None:
    for table in ("commission", "referral", "click_day", "code"):
        op.drop_table(table, schema=SCHEMA)
