"""Billing: credit, credit notes, refunds; payments without an invoice; numbers per customer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0004"
down_revision = "core_0003"
branch_labels = None
depends_on = None

OPEN = "status in ('created', 'requires_action', 'pending', 'authorised')"
OPEN_OR_PAID = "status in ('created', 'requires_action', 'pending', 'authorised', 'succeeded')"


def upgrade() -> None:
    _sellers()
    _invoices()
    _payments()
    _notes()
    _refunds()
    _grants()


def _zero(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _row() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False, schema="core")


def _sellers() -> None:
    op.add_column(
        "seller",
        sa.Column("note_prefix", sa.String(length=20), server_default="CN-", nullable=False),
        schema="core",
    )
    op.add_column(
        "seller",
        sa.Column("numbering", sa.String(length=10), server_default="seller", nullable=False),
        schema="core",
    )
    op.create_check_constraint(
        op.f("ck_seller_numbering"), "seller", "numbering in ('seller', 'customer')", schema="core"
    )
    op.alter_column(
        "number_series",
        "series",
        existing_type=sa.String(length=20),
        type_=sa.String(length=60),
        existing_nullable=False,
        schema="core",
    )
    op.add_column("billing_profile", sa.Column("customer_number", sa.Integer(), nullable=True), schema="core")


def _invoices() -> None:
    for name in ("amount_credited", "amount_noted", "amount_written_off"):
        op.add_column("invoice", _zero(name), schema="core")
    op.add_column(
        "invoice",
        sa.Column("series", sa.String(length=60), server_default="invoice", nullable=False),
        schema="core",
    )
    op.add_column("invoice", sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True), schema="core")
    for name in ("discount", "tax"):
        op.add_column("invoice_line", _zero(name), schema="core")
    op.add_column(
        "invoice_line",
        sa.Column("source", sa.String(length=80), server_default="", nullable=False),
        schema="core",
    )
    op.add_column(
        "invoice_line",
        sa.Column(
            "details",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        schema="core",
    )
    op.create_check_constraint(
        op.f("ck_invoice_settled"),
        "invoice",
        "amount_credited >= 0 and amount_noted >= 0 and amount_refunded >= 0"
        " and amount_paid + amount_credited + amount_noted <= total",
        schema="core",
    )
    op.create_check_constraint(
        op.f("ck_invoice_written_off"), "invoice", "amount_written_off between 0 and total", schema="core"
    )


def _payments() -> None:
    op.add_column(
        "payment",
        sa.Column("purpose", sa.String(length=10), server_default="invoice", nullable=False),
        schema="core",
    )
    op.alter_column("payment", "invoice_id", existing_type=sa.Uuid(), nullable=True, schema="core")
    op.add_column("payment", _zero("amount_applied"), schema="core")
    op.add_column("payment", _zero("amount_refunded"), schema="core")
    op.execute("update core.payment set amount_applied = amount where status = 'succeeded'")
    for name, words in (
        ("applied", "amount_applied between 0 and amount"),
        ("refunded", "amount_refunded between 0 and amount"),
        ("purpose", "(purpose = 'top_up') = (invoice_id is null)"),
    ):
        op.create_check_constraint(op.f(f"ck_payment_{name}"), "payment", words, schema="core")
    _one_attempt(OPEN)


def _one_attempt(which: str) -> None:
    op.drop_index("uq_payment_one_open_attempt", table_name="payment", schema="core")
    op.create_index(
        "uq_payment_one_open_attempt",
        "payment",
        ["tenant_id", "invoice_id"],
        unique=True,
        schema="core",
        postgresql_where=sa.text(which),
    )


def _notes() -> None:
    op.create_table(
        "credit_note",
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("settle", sa.String(length=6), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("to_due", sa.BigInteger(), nullable=False),
        sa.Column("to_refund", sa.BigInteger(), nullable=False),
        sa.Column("to_account", sa.BigInteger(), nullable=False),
        sa.Column("to_credit", sa.BigInteger(), nullable=False),
        sa.Column("to_promotional", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        *_row(),
        sa.CheckConstraint("settle in ('refund', 'credit', 'due')", name=op.f("ck_credit_note_settle")),
        sa.CheckConstraint(
            "subtotal >= 0 and tax >= 0 and total > 0 and total = subtotal + tax",
            name=op.f("ck_credit_note_total"),
        ),
        sa.CheckConstraint(
            "to_due >= 0 and to_refund >= 0 and to_account >= 0 and to_credit >= 0 and to_promotional >= 0"
            " and to_due + to_refund + to_account + to_credit + to_promotional = total",
            name=op.f("ck_credit_note_settled"),
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["core.invoice.id"], name=op.f("fk_credit_note_invoice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_note")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_credit_note_tenant_id_key")),
        schema="core",
    )
    op.create_index(
        "uq_credit_note_number", "credit_note", ["seller_id", "number"], unique=True, schema="core"
    )
    _index("credit_note", "invoice_id", "tenant_id")
    op.create_table(
        "credit_note_line",
        sa.Column("credit_note_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_line_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=24, scale=6), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        *_row(),
        sa.CheckConstraint("amount >= 0 and tax >= 0", name=op.f("ck_credit_note_line_amount")),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["core.credit_note.id"], name=op.f("fk_credit_note_line_credit_note_id")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_line_id"], ["core.invoice_line.id"], name=op.f("fk_credit_note_line_invoice_line_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_note_line")),
        sa.UniqueConstraint(
            "tenant_id",
            "credit_note_id",
            "position",
            name=op.f("uq_credit_note_line_tenant_id_credit_note_id_position"),
        ),
        schema="core",
    )
    _index("credit_note_line", "invoice_line_id", "tenant_id")


def _refunds() -> None:
    op.create_table(
        "refund",
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("credit_note_id", sa.Uuid(), nullable=True),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("from_credit", sa.BigInteger(), nullable=False),
        sa.Column("reopened", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        *_row(),
        sa.CheckConstraint(
            "status in ('created', 'pending', 'succeeded', 'failed')", name=op.f("ck_refund_status")
        ),
        sa.CheckConstraint(
            "amount > 0 and from_credit >= 0 and reopened >= 0 and amount = from_credit + reopened",
            name=op.f("ck_refund_amount"),
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["core.payment.id"], name=op.f("fk_refund_payment_id")),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["core.credit_note.id"], name=op.f("fk_refund_credit_note_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_refund_tenant_id_key")),
        schema="core",
    )
    _index("refund", "credit_note_id", "payment_id", "tenant_id")


def _grants() -> None:
    op.create_table(
        "credit_grant",
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("usage_only", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("credit_note_id", sa.Uuid(), nullable=True),
        *_row(),
        sa.CheckConstraint("kind in ('account', 'promotional')", name=op.f("ck_credit_grant_kind")),
        sa.CheckConstraint(
            "amount > 0 and remaining between 0 and amount", name=op.f("ck_credit_grant_amount")
        ),
        sa.CheckConstraint("kind = 'promotional' or expires_at is null", name=op.f("ck_credit_grant_expiry")),
        sa.ForeignKeyConstraint(["payment_id"], ["core.payment.id"], name=op.f("fk_credit_grant_payment_id")),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["core.credit_note.id"], name=op.f("fk_credit_grant_credit_note_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_grant")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_credit_grant_tenant_id_key")),
        schema="core",
    )
    op.create_index(
        "ix_credit_grant_expiry",
        "credit_grant",
        ["expires_at"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("remaining > 0 and expires_at is not null"),
    )
    _index("credit_grant", "credit_note_id", "payment_id", "tenant_id")
    op.create_table(
        "credit_use",
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=14), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("credit_note_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        *_row(),
        sa.CheckConstraint(
            "kind in ('applied', 'unapplied', 'returned', 'refund', 'refund_failed', 'expired', 'revoked')",
            name=op.f("ck_credit_use_kind"),
        ),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_credit_use_amount")),
        sa.ForeignKeyConstraint(["grant_id"], ["core.credit_grant.id"], name=op.f("fk_credit_use_grant_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["core.invoice.id"], name=op.f("fk_credit_use_invoice_id")),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["core.credit_note.id"], name=op.f("fk_credit_use_credit_note_id")
        ),
        sa.ForeignKeyConstraint(["refund_id"], ["core.refund.id"], name=op.f("fk_credit_use_refund_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_use")),
        schema="core",
    )
    _index("credit_use", "grant_id", "invoice_id", "refund_id", "tenant_id")


def downgrade() -> None:
    """Loses what only these tables know: credit, notes, refunds. Top-ups have no place in the old shape."""
    for table in ("credit_use", "credit_grant", "refund", "credit_note_line", "credit_note"):
        op.drop_table(table, schema="core")
    op.execute("delete from core.payment where purpose = 'top_up'")
    for name in ("purpose", "refunded", "applied"):
        op.drop_constraint(op.f(f"ck_payment_{name}"), "payment", type_="check", schema="core")
    _one_attempt(OPEN_OR_PAID)
    for name in ("amount_refunded", "amount_applied", "purpose"):
        op.drop_column("payment", name, schema="core")
    op.alter_column("payment", "invoice_id", existing_type=sa.Uuid(), nullable=False, schema="core")
    for name in ("written_off", "settled"):
        op.drop_constraint(op.f(f"ck_invoice_{name}"), "invoice", type_="check", schema="core")
    for name in ("voided_at", "series", "amount_written_off", "amount_noted", "amount_credited"):
        op.drop_column("invoice", name, schema="core")
    for name in ("details", "source", "tax", "discount"):
        op.drop_column("invoice_line", name, schema="core")
    op.drop_column("billing_profile", "customer_number", schema="core")
    op.alter_column(
        "number_series",
        "series",
        existing_type=sa.String(length=60),
        type_=sa.String(length=20),
        schema="core",
    )
    op.drop_constraint(op.f("ck_seller_numbering"), "seller", type_="check", schema="core")
    for name in ("numbering", "note_prefix"):
        op.drop_column("seller", name, schema="core")
