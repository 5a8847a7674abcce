"""Plans: versions of prices, what usage costs, policies, trials, coupons, what was billed, what is to change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None

#: Plan.overage was {"USD": {"sites": "5.00"}}: one more unit costs so much, beyond the plan's allowance.
USAGE_PRICES = """
insert into core.usage_price (id, created_at, reseller_id, plan_id, meter, currency, model, tiers, included,
                              effective_from)
select gen_random_uuid(), now(), p.reseller_id, p.id, unit.key, money.key, 'per_unit',
       jsonb_build_array(jsonb_build_object('up_to', null, 'unit', unit.value #>> '{}', 'flat', '0')),
       coalesce((p.allowances ->> unit.key)::numeric, 0), '1970-01-01T00:00:00Z'
from core.plan p, jsonb_each(p.overage) money, jsonb_each(money.value) unit
"""
#: What was invoiced before there was a guard: one item a subscription, its newest period.
BILLED = """
insert into core.billed_period (id, created_at, tenant_id, subscription_id, item_id, invoice_id, plan_code, quantity,
                                period_start, period_end, until, amount, currency)
select gen_random_uuid(), i.created_at, i.tenant_id, i.subscription_id, t.id, i.id, t.plan_code, t.quantity,
       i.period_start, i.period_end, i.period_end, greatest(i.subtotal, 0), i.currency
from core.invoice i join core.subscription_item t on t.subscription_id = i.subscription_id
where i.number is not null and i.status <> 'void' and i.period_start < i.period_end
"""


def _statuses(every: str, due: str) -> None:
    op.drop_constraint(op.f("ck_subscription_status"), "subscription", schema="core")
    op.create_check_constraint("status", "subscription", f"status in ({every})", schema="core")
    op.drop_index("ix_subscription_due", table_name="subscription", schema="core")
    op.create_index(
        "ix_subscription_due",
        "subscription",
        ["current_period_end"],
        schema="core",
        postgresql_where=sa.text(f"status in ({due})"),
    )


def upgrade() -> None:
    op.create_table(
        "coupon",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("percent", sa.Numeric(precision=7, scale=4), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("duration", sa.String(length=9), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=True),
        sa.Column("plans", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("stacks", sa.Boolean(), nullable=False),
        sa.Column("max_redemptions", sa.Integer(), nullable=True),
        sa.Column("per_customer", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("reseller_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(amount is null) = (currency = '')", name=op.f("ck_coupon_currency")),
        sa.CheckConstraint(
            "(duration = 'repeating') = (repeats is not null)", name=op.f("ck_coupon_repeating")
        ),
        sa.CheckConstraint("duration in ('once', 'repeating', 'forever')", name=op.f("ck_coupon_duration")),
        sa.CheckConstraint("(percent is null) <> (amount is null)", name=op.f("ck_coupon_percent_or_amount")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_coupon_amount")),
        sa.CheckConstraint("max_redemptions > 0", name=op.f("ck_coupon_max_redemptions")),
        sa.CheckConstraint("per_customer > 0", name=op.f("ck_coupon_per_customer")),
        sa.CheckConstraint("percent > 0 and percent <= 100", name=op.f("ck_coupon_percent")),
        sa.CheckConstraint("repeats > 0", name=op.f("ck_coupon_repeats")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon")),
        sa.UniqueConstraint("reseller_id", "name", name=op.f("uq_coupon_reseller_id_name")),
        schema="core",
    )
    op.create_index(op.f("ix_coupon_reseller_id"), "coupon", ["reseller_id"], unique=False, schema="core")
    op.create_table(
        "coupon_count",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("redeemed", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("redeemed >= 0", name=op.f("ck_coupon_count_redeemed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_count")),
        sa.UniqueConstraint("subject_id", name=op.f("uq_coupon_count_subject_id")),
        schema="core",
    )
    op.create_table(
        "promotion_code",
        sa.Column("coupon_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("max_redemptions", sa.Integer(), nullable=True),
        sa.Column("first_time", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("reseller_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("max_redemptions > 0", name=op.f("ck_promotion_code_max_redemptions")),
        sa.ForeignKeyConstraint(["coupon_id"], ["core.coupon.id"], name=op.f("fk_promotion_code_coupon_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_code")),
        sa.UniqueConstraint("reseller_id", "code", name=op.f("uq_promotion_code_reseller_id_code")),
        schema="core",
    )
    op.create_index(
        op.f("ix_promotion_code_coupon_id"), "promotion_code", ["coupon_id"], unique=False, schema="core"
    )
    op.create_index(
        op.f("ix_promotion_code_reseller_id"), "promotion_code", ["reseller_id"], unique=False, schema="core"
    )
    op.create_table(
        "usage_price",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("meter", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("model", sa.String(length=9), nullable=False),
        sa.Column("tiers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("package_size", sa.Numeric(precision=24, scale=6), nullable=True),
        sa.Column("included", sa.Numeric(precision=24, scale=6), nullable=False),
        sa.Column("minimum", sa.BigInteger(), nullable=True),
        sa.Column("maximum", sa.BigInteger(), nullable=True),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reseller_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(model = 'package') = (package_size is not null)", name=op.f("ck_usage_price_package_size")
        ),
        sa.CheckConstraint(
            "model in ('flat', 'per_unit', 'graduated', 'volume', 'package')",
            name=op.f("ck_usage_price_model"),
        ),
        sa.CheckConstraint("effective_until > effective_from", name=op.f("ck_usage_price_effective")),
        sa.CheckConstraint("included >= 0", name=op.f("ck_usage_price_included")),
        sa.CheckConstraint(
            "minimum >= 0 and maximum >= 0 and minimum <= maximum", name=op.f("ck_usage_price_bounds")
        ),
        sa.CheckConstraint("package_size > 0", name=op.f("ck_usage_price_package")),
        sa.ForeignKeyConstraint(["plan_id"], ["core.plan.id"], name=op.f("fk_usage_price_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_price")),
        sa.UniqueConstraint(
            "reseller_id", "plan_id", "meter", "currency", "effective_from", name="uq_usage_price_version"
        ),
        schema="core",
    )
    op.create_index(
        op.f("ix_usage_price_reseller_id"), "usage_price", ["reseller_id"], unique=False, schema="core"
    )
    op.create_index(
        "uq_usage_price_one_open_version",
        "usage_price",
        ["reseller_id", "plan_id", "meter", "currency"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("effective_until is null"),
    )
    op.create_table(
        "billed_period",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("plan_code", sa.String(length=60), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_billed_period_amount")),
        sa.CheckConstraint("until between period_start and period_end", name=op.f("ck_billed_period_until")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["core.invoice.id"], name=op.f("fk_billed_period_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["core.subscription_item.id"], name=op.f("fk_billed_period_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["core.subscription.id"], name=op.f("fk_billed_period_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billed_period")),
        schema="core",
    )
    op.create_index(
        op.f("ix_billed_period_invoice_id"), "billed_period", ["invoice_id"], unique=False, schema="core"
    )
    op.create_index(
        op.f("ix_billed_period_item_id"), "billed_period", ["item_id"], unique=False, schema="core"
    )
    op.create_index(
        op.f("ix_billed_period_subscription_id"),
        "billed_period",
        ["subscription_id"],
        unique=False,
        schema="core",
    )
    op.create_index(
        op.f("ix_billed_period_tenant_id"), "billed_period", ["tenant_id"], unique=False, schema="core"
    )
    op.create_index(
        "uq_billed_period_item_start",
        "billed_period",
        ["tenant_id", "item_id", "period_start"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("until > period_start"),
    )
    op.create_table(
        "coupon_redemption",
        sa.Column("coupon_id", sa.Uuid(), nullable=False),
        sa.Column("promotion_code_id", sa.Uuid(), nullable=True),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("percent", sa.Numeric(precision=7, scale=4), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("duration", sa.String(length=9), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=True),
        sa.Column("plans", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("stacks", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status in ('active', 'released', 'ended')", name=op.f("ck_coupon_redemption_status")
        ),
        sa.ForeignKeyConstraint(
            ["coupon_id"], ["core.coupon.id"], name=op.f("fk_coupon_redemption_coupon_id")
        ),
        sa.ForeignKeyConstraint(
            ["promotion_code_id"],
            ["core.promotion_code.id"],
            name=op.f("fk_coupon_redemption_promotion_code_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["core.subscription.id"], name=op.f("fk_coupon_redemption_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_redemption")),
        schema="core",
    )
    op.create_index(
        op.f("ix_coupon_redemption_coupon_id"),
        "coupon_redemption",
        ["coupon_id"],
        unique=False,
        schema="core",
    )
    op.create_index(
        op.f("ix_coupon_redemption_subscription_id"),
        "coupon_redemption",
        ["subscription_id"],
        unique=False,
        schema="core",
    )
    op.create_index(
        op.f("ix_coupon_redemption_tenant_id"),
        "coupon_redemption",
        ["tenant_id"],
        unique=False,
        schema="core",
    )
    op.create_index(
        "uq_coupon_redemption_once_per_subscription",
        "coupon_redemption",
        ["tenant_id", "coupon_id", "subscription_id"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "subscription_change",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("plan_code", sa.String(length=60), nullable=False),
        sa.Column("billing_period", sa.String(length=10), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at_period_end", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("requested_by", sa.String(length=254), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('plan', 'quantity', 'add', 'remove', 'pause', 'resume')",
            name=op.f("ck_subscription_change_kind"),
        ),
        sa.CheckConstraint(
            "status in ('scheduled', 'paying', 'done', 'cancelled', 'failed')",
            name=op.f("ck_subscription_change_status"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_subscription_change_quantity")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["core.invoice.id"], name=op.f("fk_subscription_change_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["core.subscription_item.id"], name=op.f("fk_subscription_change_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["core.subscription.id"], name=op.f("fk_subscription_change_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_change")),
        schema="core",
    )
    op.create_index(
        "ix_subscription_change_due",
        "subscription_change",
        ["effective_at"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("status = 'scheduled'"),
    )
    op.create_index(
        op.f("ix_subscription_change_invoice_id"),
        "subscription_change",
        ["invoice_id"],
        unique=False,
        schema="core",
    )
    op.create_index(
        op.f("ix_subscription_change_subscription_id"),
        "subscription_change",
        ["subscription_id"],
        unique=False,
        schema="core",
    )
    op.create_index(
        op.f("ix_subscription_change_tenant_id"),
        "subscription_change",
        ["tenant_id"],
        unique=False,
        schema="core",
    )
    op.create_index(
        "uq_subscription_change_one_waiting",
        "subscription_change",
        ["tenant_id", "subscription_id", "kind"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("status in ('scheduled', 'paying')"),
    )
    op.add_column(
        "billing_profile",
        sa.Column("consolidate", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="core",
    )
    op.add_column(
        "checkout",
        sa.Column("promotion_code", sa.String(length=40), server_default="", nullable=False),
        schema="core",
    )
    op.add_column(
        "plan",
        sa.Column("proration", sa.String(length=6), server_default="second", nullable=False),
        schema="core",
    )
    op.add_column(
        "plan",
        sa.Column("alignment", sa.String(length=11), server_default="anniversary", nullable=False),
        schema="core",
    )
    op.add_column(
        "plan",
        sa.Column("timing", sa.String(length=7), server_default="advance", nullable=False),
        schema="core",
    )
    op.add_column(
        "plan", sa.Column("trial_days", sa.Integer(), server_default="0", nullable=False), schema="core"
    )
    op.execute(USAGE_PRICES)
    op.drop_column("plan", "overage", schema="core")
    op.add_column(
        "price",
        sa.Column(
            "effective_from",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default="1970-01-01T00:00:00Z",
        ),
        schema="core",
    )
    op.alter_column("price", "effective_from", server_default=None, schema="core")
    op.add_column(
        "price", sa.Column("effective_until", sa.DateTime(timezone=True), nullable=True), schema="core"
    )
    op.drop_constraint(
        op.f("uq_price_reseller_id_plan_id_currency_billing_period"), "price", schema="core", type_="unique"
    )
    op.create_index(
        "uq_price_one_open_version",
        "price",
        ["reseller_id", "plan_id", "currency", "billing_period"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("effective_until is null"),
    )
    op.create_unique_constraint(
        "uq_price_version",
        "price",
        ["reseller_id", "plan_id", "currency", "billing_period", "effective_from"],
        schema="core",
    )
    op.add_column(
        "subscription",
        sa.Column("proration", sa.String(length=6), server_default="second", nullable=False),
        schema="core",
    )
    op.add_column(
        "subscription",
        sa.Column("alignment", sa.String(length=11), server_default="anniversary", nullable=False),
        schema="core",
    )
    op.add_column(
        "subscription",
        sa.Column("timing", sa.String(length=7), server_default="advance", nullable=False),
        schema="core",
    )
    op.add_column(
        "subscription", sa.Column("started_at", sa.DateTime(timezone=True), nullable=True), schema="core"
    )
    op.add_column(
        "subscription", sa.Column("trial_ends_at", sa.DateTime(timezone=True), nullable=True), schema="core"
    )
    op.add_column("subscription", sa.Column("billing_day", sa.Integer(), nullable=True), schema="core")
    op.create_check_constraint("billing_day", "subscription", "billing_day between 1 and 31", schema="core")
    op.add_column(
        "subscription",
        sa.Column("reprice", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="core",
    )
    op.add_column(
        "subscription", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True), schema="core"
    )
    op.add_column(
        "subscription",
        sa.Column("cancel_reason", sa.String(length=300), server_default="", nullable=False),
        schema="core",
    )
    op.add_column(
        "subscription_item", sa.Column("priced_at", sa.DateTime(timezone=True), nullable=True), schema="core"
    )
    op.execute("update core.subscription_item set priced_at = created_at")
    op.alter_column("subscription_item", "priced_at", nullable=False, schema="core")
    op.add_column(
        "subscription_item", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True), schema="core"
    )
    op.create_check_constraint("effective", "price", "effective_until > effective_from", schema="core")
    op.create_check_constraint("proration", "plan", "proration in ('second', 'day')", schema="core")
    op.create_check_constraint("alignment", "plan", "alignment in ('anniversary', 'calendar')", schema="core")
    op.create_check_constraint("timing", "plan", "timing in ('advance', 'arrears')", schema="core")
    op.add_column(
        "plan",
        sa.Column("usage_on_change", sa.String(length=8), server_default="continue", nullable=False),
        schema="core",
    )
    op.create_check_constraint(
        "usage_on_change", "plan", "usage_on_change in ('continue', 'close')", schema="core"
    )
    op.create_check_constraint("trial_days", "plan", "trial_days between 0 and 730", schema="core")
    _statuses(
        "'trialing', 'incomplete', 'active', 'past_due', 'paused', 'cancelled'",
        "'trialing', 'active', 'past_due'",
    )
    op.execute("update core.subscription set started_at = anchor where status <> 'incomplete'")
    op.execute(BILLED)


def downgrade() -> None:
    op.execute("update core.subscription set status = 'past_due' where status = 'paused'")
    _statuses("'trialing', 'incomplete', 'active', 'past_due', 'cancelled'", "'active', 'past_due'")
    op.drop_constraint(op.f("ck_price_effective"), "price", schema="core")
    op.execute("delete from core.price where effective_until is not null")
    op.drop_column("subscription_item", "ended_at", schema="core")
    op.drop_column("subscription_item", "priced_at", schema="core")
    op.drop_column("subscription", "cancel_reason", schema="core")
    op.drop_column("subscription", "paused_at", schema="core")
    op.drop_column("subscription", "reprice", schema="core")
    op.drop_column("subscription", "billing_day", schema="core")
    op.drop_column("subscription", "trial_ends_at", schema="core")
    op.drop_column("subscription", "started_at", schema="core")
    op.drop_column("subscription", "timing", schema="core")
    op.drop_column("subscription", "alignment", schema="core")
    op.drop_column("subscription", "proration", schema="core")
    op.drop_constraint("uq_price_version", "price", schema="core", type_="unique")
    op.drop_index(
        "uq_price_one_open_version",
        table_name="price",
        schema="core",
        postgresql_where=sa.text("effective_until is null"),
    )
    op.create_unique_constraint(
        op.f("uq_price_reseller_id_plan_id_currency_billing_period"),
        "price",
        ["reseller_id", "plan_id", "currency", "billing_period"],
        schema="core",
    )
    op.drop_column("price", "effective_until", schema="core")
    op.drop_column("price", "effective_from", schema="core")
    op.add_column(
        "plan",
        sa.Column("overage", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        schema="core",
    )
    op.drop_column("plan", "usage_on_change", schema="core")
    op.drop_column("plan", "trial_days", schema="core")
    op.drop_column("plan", "timing", schema="core")
    op.drop_column("plan", "alignment", schema="core")
    op.drop_column("plan", "proration", schema="core")
    op.drop_column("checkout", "promotion_code", schema="core")
    op.drop_column("billing_profile", "consolidate", schema="core")
    op.drop_index(
        "uq_subscription_change_one_waiting",
        table_name="subscription_change",
        schema="core",
        postgresql_where=sa.text("status in ('scheduled', 'paying')"),
    )
    op.drop_index(op.f("ix_subscription_change_tenant_id"), table_name="subscription_change", schema="core")
    op.drop_index(
        op.f("ix_subscription_change_subscription_id"), table_name="subscription_change", schema="core"
    )
    op.drop_index(op.f("ix_subscription_change_invoice_id"), table_name="subscription_change", schema="core")
    op.drop_index(
        "ix_subscription_change_due",
        table_name="subscription_change",
        schema="core",
        postgresql_where=sa.text("status = 'scheduled'"),
    )
    op.drop_table("subscription_change", schema="core")
    op.drop_index(
        "uq_coupon_redemption_once_per_subscription",
        table_name="coupon_redemption",
        schema="core",
        postgresql_where=sa.text("status = 'active'"),
    )
    op.drop_index(op.f("ix_coupon_redemption_tenant_id"), table_name="coupon_redemption", schema="core")
    op.drop_index(op.f("ix_coupon_redemption_subscription_id"), table_name="coupon_redemption", schema="core")
    op.drop_index(op.f("ix_coupon_redemption_coupon_id"), table_name="coupon_redemption", schema="core")
    op.drop_table("coupon_redemption", schema="core")
    op.drop_index(
        "uq_billed_period_item_start",
        table_name="billed_period",
        schema="core",
        postgresql_where=sa.text("until > period_start"),
    )
    op.drop_index(op.f("ix_billed_period_tenant_id"), table_name="billed_period", schema="core")
    op.drop_index(op.f("ix_billed_period_subscription_id"), table_name="billed_period", schema="core")
    op.drop_index(op.f("ix_billed_period_item_id"), table_name="billed_period", schema="core")
    op.drop_index(op.f("ix_billed_period_invoice_id"), table_name="billed_period", schema="core")
    op.drop_table("billed_period", schema="core")
    op.drop_index(
        "uq_usage_price_one_open_version",
        table_name="usage_price",
        schema="core",
        postgresql_where=sa.text("effective_until is null"),
    )
    op.drop_index(op.f("ix_usage_price_reseller_id"), table_name="usage_price", schema="core")
    op.drop_table("usage_price", schema="core")
    op.drop_index(op.f("ix_promotion_code_reseller_id"), table_name="promotion_code", schema="core")
    op.drop_index(op.f("ix_promotion_code_coupon_id"), table_name="promotion_code", schema="core")
    op.drop_table("promotion_code", schema="core")
    op.drop_table("coupon_count", schema="core")
    op.drop_index(op.f("ix_coupon_reseller_id"), table_name="coupon", schema="core")
    op.drop_table("coupon", schema="core")
