"""The core's tables, as the first release knows them. Policies, grants and triggers are made by the runner."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=9), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(length=254), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("subject_type", sa.String(length=60), nullable=False),
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column("subject_label", sa.String(length=254), nullable=False),
        sa.Column("before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "actor_kind in ('person', 'staff', 'key', 'system', 'anonymous')",
            name=op.f("ck_audit_entry_actor_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        schema="core",
    )
    op.create_index(
        op.f("ix_audit_entry_tenant_id"), "audit_entry", ["tenant_id"], unique=False, schema="core"
    )
    op.create_index(
        "ix_audit_entry_tenant_id_at", "audit_entry", ["tenant_id", "at", "id"], unique=False, schema="core"
    )
    op.create_index(
        "ix_audit_entry_tenant_id_subject",
        "audit_entry",
        ["tenant_id", "subject_type", "subject_id"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "billing_profile",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("vat_id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_profile")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_billing_profile_tenant_id")),
        schema="core",
    )
    op.create_index(
        op.f("ix_billing_profile_tenant_id"), "billing_profile", ["tenant_id"], unique=False, schema="core"
    )
    op.create_table(
        "brand",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("theme", sa.String(length=32), nullable=False),
        sa.Column("logo_url", sa.String(length=300), nullable=False),
        sa.Column("logo_dark_url", sa.String(length=300), nullable=False),
        sa.Column("favicon_url", sa.String(length=300), nullable=False),
        sa.Column("support_email", sa.String(length=254), nullable=False),
        sa.Column("support_url", sa.String(length=300), nullable=False),
        sa.Column("terms_url", sa.String(length=300), nullable=False),
        sa.Column("privacy_url", sa.String(length=300), nullable=False),
        sa.Column("footer", sa.String(length=300), nullable=False),
        sa.Column("mail_name", sa.String(length=80), nullable=False),
        sa.Column("mail_address", sa.String(length=254), nullable=False),
        sa.Column("tokens", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("words", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reseller_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand")),
        sa.UniqueConstraint("reseller_id", name=op.f("uq_brand_reseller_id")),
        schema="core",
    )
    op.create_index(op.f("ix_brand_reseller_id"), "brand", ["reseller_id"], unique=False, schema="core")
    op.create_table(
        "event",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        schema="core",
    )
    op.create_index(op.f("ix_event_created_at"), "event", ["created_at"], unique=False, schema="core")
    op.create_index(
        "ix_event_tenant_id_subject_seq",
        "event",
        ["tenant_id", "subject", "seq"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "event_handler",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("plugin", sa.String(length=63), nullable=True),
        sa.Column("event_type", sa.String(length=80), nullable=False),
        sa.Column("job_kind", sa.String(length=160), nullable=False),
        sa.Column("pool", sa.String(length=16), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_handler")),
        sa.UniqueConstraint(
            "event_type",
            "job_kind",
            "plugin",
            name=op.f("uq_event_handler_event_type_job_kind_plugin"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="core",
    )
    op.create_table(
        "event_subject",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_subject")),
        sa.UniqueConstraint(
            "tenant_id",
            "subject",
            name=op.f("uq_event_subject_tenant_id_subject"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="core",
    )
    op.create_table(
        "hostname",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hostname")),
        sa.UniqueConstraint("name", name=op.f("uq_hostname_name")),
        schema="core",
    )
    op.create_index(op.f("ix_hostname_service_id"), "hostname", ["service_id"], unique=False, schema="core")
    op.create_table(
        "idempotency_key",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_key")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_idempotency_key_tenant_id_key")),
        schema="core",
    )
    op.create_index(
        op.f("ix_idempotency_key_tenant_id"), "idempotency_key", ["tenant_id"], unique=False, schema="core"
    )
    op.create_table(
        "installed_plugin",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("head", sa.String(length=120), nullable=False),
        sa.Column("hooks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installed_plugin")),
        sa.UniqueConstraint("name", name=op.f("uq_installed_plugin_name")),
        schema="core",
    )
    op.create_table(
        "job",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("plugin", sa.String(length=63), nullable=True),
        sa.Column("kind", sa.String(length=160), nullable=False),
        sa.Column("pool", sa.String(length=16), nullable=False),
        sa.Column("args", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=8), server_default="ready", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.Column("business_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("key", sa.String(length=255), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state in ('ready', 'running', 'done', 'failed', 'dead')", name=op.f("ck_job_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
        schema="core",
    )
    op.create_index(
        "ix_job_broken",
        "job",
        ["finished_at"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("state in ('failed', 'dead')"),
    )
    op.create_index(
        "ix_job_done",
        "job",
        ["finished_at"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("state = 'done'"),
    )
    op.create_index(
        "ix_job_ready",
        "job",
        ["pool", "due_at", "id"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_index(
        "ix_job_running",
        "job",
        ["lease_until"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "ix_job_waiting",
        "job",
        ["tenant_id", "business_due_at"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("due_at is null"),
    )
    op.create_table(
        "ledger_account",
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("party", sa.String(length=80), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint(
            "tenant_id",
            "seller_id",
            "code",
            "party",
            "currency",
            name=op.f("uq_ledger_account_tenant_id_seller_id_code_party_currency"),
        ),
        schema="core",
    )
    op.create_index(
        op.f("ix_ledger_account_tenant_id"), "ledger_account", ["tenant_id"], unique=False, schema="core"
    )
    op.create_table(
        "ledger_transaction",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transaction")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_ledger_transaction_tenant_id_key")),
        schema="core",
    )
    op.create_index(
        op.f("ix_ledger_transaction_tenant_id"),
        "ledger_transaction",
        ["tenant_id"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "login_attempt",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_login_attempt_kind_key")),
        schema="core",
    )
    op.create_index(
        op.f("ix_login_attempt_last_at"), "login_attempt", ["last_at"], unique=False, schema="core"
    )
    op.create_table(
        "mail_message",
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("to", sa.String(length=254), nullable=False),
        sa.Column("to_name", sa.String(length=120), nullable=False),
        sa.Column("sender", sa.String(length=400), nullable=False),
        sa.Column("reply_to", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("html", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=6), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status in ('queued', 'sent', 'failed')", name=op.f("ck_mail_message_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_message")),
        sa.UniqueConstraint("key", name=op.f("uq_mail_message_key")),
        schema="core",
    )
    op.create_index(
        "ix_mail_message_open",
        "mail_message",
        ["id"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("status <> 'sent'"),
    )
    op.create_index(
        "ix_mail_message_tenant_id_id", "mail_message", ["tenant_id", "id"], unique=False, schema="core"
    )
    op.create_table(
        "node",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("driver", sa.String(length=63), nullable=False),
        sa.Column("region", sa.String(length=63), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=True),
        sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sweep_error", sa.Text(), server_default="", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status in ('active', 'draining', 'offline')", name=op.f("ck_node_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node")),
        sa.UniqueConstraint("name", name=op.f("uq_node_name")),
        schema="core",
    )
    op.create_table(
        "number_series",
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("series", sa.String(length=20), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_series")),
        sa.UniqueConstraint("seller_id", "series", name=op.f("uq_number_series_seller_id_series")),
        schema="core",
    )
    op.create_table(
        "payment_method",
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("brand", sa.String(length=30), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("expiry_month", sa.Integer(), nullable=False),
        sa.Column("expiry_year", sa.Integer(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_method")),
        sa.UniqueConstraint(
            "tenant_id", "gateway", "reference", name=op.f("uq_payment_method_tenant_id_gateway_reference")
        ),
        schema="core",
    )
    op.create_index(
        op.f("ix_payment_method_tenant_id"), "payment_method", ["tenant_id"], unique=False, schema="core"
    )
    op.create_index(
        "uq_payment_method_one_default",
        "payment_method",
        ["tenant_id"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("is_default and removed_at is null"),
    )
    op.create_table(
        "person",
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locale", sa.String(length=12), server_default="en_US", nullable=False),
        sa.Column("zone", sa.String(length=64), server_default="UTC", nullable=False),
        sa.Column("theme", sa.String(length=5), server_default="", nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("theme in ('', 'light', 'dark')", name=op.f("ck_person_theme")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        schema="core",
    )
    op.create_index(
        "uq_person_email_lower", "person", [sa.literal_column("lower(email)")], unique=True, schema="core"
    )
    op.create_table(
        "plan",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("shape", sa.String(length=10), nullable=False),
        sa.Column("allowances", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("overage", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("service_kind", sa.String(length=60), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("reseller_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(shape = 'service') = (service_kind <> '')", name=op.f("ck_plan_service_kind")),
        sa.CheckConstraint("shape in ('hosting', 'service', 'addon')", name=op.f("ck_plan_shape")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("reseller_id", "code", name=op.f("uq_plan_reseller_id_code")),
        schema="core",
    )
    op.create_index(op.f("ix_plan_reseller_id"), "plan", ["reseller_id"], unique=False, schema="core")
    op.create_table(
        "plugin_settings",
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plugin_settings")),
        sa.UniqueConstraint("tenant_id", "plugin", name=op.f("uq_plugin_settings_tenant_id_plugin")),
        schema="core",
    )
    op.create_index(
        op.f("ix_plugin_settings_tenant_id"), "plugin_settings", ["tenant_id"], unique=False, schema="core"
    )
    op.create_table(
        "plugin_state",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.String(length=63), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plugin_state")),
        sa.UniqueConstraint("tenant_id", "plugin", name=op.f("uq_plugin_state_tenant_id_plugin")),
        schema="core",
    )
    op.create_index("ix_plugin_state_plugin", "plugin_state", ["plugin"], unique=False, schema="core")
    op.create_table(
        "schedule",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("plugin", sa.String(length=63), nullable=True),
        sa.Column("kind", sa.String(length=160), nullable=False),
        sa.Column("cron", sa.String(length=120), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("per", sa.String(length=8), nullable=False),
        sa.Column("pool", sa.String(length=16), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("per in ('platform', 'tenant')", name=op.f("ck_schedule_per")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
        sa.UniqueConstraint("name", name=op.f("uq_schedule_name")),
        schema="core",
    )
    op.create_index(op.f("ix_schedule_next_at"), "schedule", ["next_at"], unique=False, schema="core")
    op.create_table(
        "seller",
        sa.Column("legal_name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("tax_id", sa.String(length=40), nullable=False),
        sa.Column("number_prefix", sa.String(length=20), nullable=False),
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("due_days", sa.Integer(), nullable=False),
        sa.Column("reseller_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller")),
        sa.UniqueConstraint("reseller_id", name=op.f("uq_seller_reseller_id")),
        schema="core",
    )
    op.create_index(op.f("ix_seller_reseller_id"), "seller", ["reseller_id"], unique=False, schema="core")
    op.create_table(
        "subscription",
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("shape", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("billing_period", sa.String(length=10), nullable=False),
        sa.Column("anchor", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("current_period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current_period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancel_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status in ('trialing', 'incomplete', 'active', 'past_due', 'cancelled')",
            name=op.f("ck_subscription_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        schema="core",
    )
    op.create_index(
        "ix_subscription_due",
        "subscription",
        ["current_period_end"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("status in ('active', 'past_due')"),
    )
    op.create_index(
        op.f("ix_subscription_tenant_id"), "subscription", ["tenant_id"], unique=False, schema="core"
    )
    op.create_index(
        "uq_subscription_one_hosting_plan",
        "subscription",
        ["tenant_id"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("shape = 'hosting' and status <> 'cancelled'"),
    )
    op.create_table(
        "tenant",
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("slug", sa.String(length=63), nullable=False),
        sa.Column("status", sa.String(length=12), server_default="active", nullable=False),
        sa.Column("zone", sa.String(length=64), server_default="UTC", nullable=False),
        sa.Column("locale", sa.String(length=12), server_default="en_US", nullable=False),
        sa.Column("generation", sa.Integer(), server_default="1", nullable=False),
        sa.Column("clock_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(kind = 'platform') = (parent_id is null)", name=op.f("ck_tenant_parent")),
        sa.CheckConstraint("kind in ('platform', 'reseller', 'customer')", name=op.f("ck_tenant_kind")),
        sa.ForeignKeyConstraint(["parent_id"], ["core.tenant.id"], name=op.f("fk_tenant_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenant_slug")),
        schema="core",
    )
    op.create_index(op.f("ix_tenant_parent_id"), "tenant", ["parent_id"], unique=False, schema="core")
    op.create_table(
        "api_key",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("prefix", sa.String(length=20), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("role", sa.String(length=7), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role in ('owner', 'admin', 'member', 'viewer', 'billing')", name=op.f("ck_api_key_role")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["core.person.id"], name=op.f("fk_api_key_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["core.tenant.id"], name=op.f("fk_api_key_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_key_secret_hash")),
        schema="core",
    )
    op.create_index(op.f("ix_api_key_tenant_id"), "api_key", ["tenant_id"], unique=False, schema="core")
    op.create_table(
        "brand_host",
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("reseller_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["reseller_id"], ["core.tenant.id"], name=op.f("fk_brand_host_reseller_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand_host")),
        sa.UniqueConstraint("host", name=op.f("uq_brand_host_host")),
        schema="core",
    )
    op.create_index(
        op.f("ix_brand_host_reseller_id"), "brand_host", ["reseller_id"], unique=False, schema="core"
    )
    op.create_table(
        "breaker",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("trips", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["core.tenant.id"], name=op.f("fk_breaker_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breaker")),
        sa.UniqueConstraint("tenant_id", "plugin", name=op.f("uq_breaker_tenant_id_plugin")),
        schema="core",
    )
    op.create_index(op.f("ix_breaker_tenant_id"), "breaker", ["tenant_id"], unique=False, schema="core")
    op.create_table(
        "drift",
        sa.Column("node_id", sa.Uuid(), nullable=False),
        sa.Column("sort", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(length=120), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("sort in ('orphan', 'missing', 'state')", name=op.f("ck_drift_sort")),
        sa.ForeignKeyConstraint(["node_id"], ["core.node.id"], name=op.f("fk_drift_node_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift")),
        schema="core",
    )
    op.create_index(op.f("ix_drift_node_id"), "drift", ["node_id"], unique=False, schema="core")
    op.create_index(
        "ix_drift_open",
        "drift",
        ["node_id"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("resolved_at is null"),
    )
    op.create_table(
        "email_token",
        sa.Column("purpose", sa.String(length=6), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("purpose in ('verify', 'reset', 'invite')", name=op.f("ck_email_token_purpose")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["core.person.id"], name=op.f("fk_email_token_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_email_token_token_hash")),
        schema="core",
    )
    op.create_index(
        op.f("ix_email_token_expires_at"), "email_token", ["expires_at"], unique=False, schema="core"
    )
    op.create_index(
        "ix_email_token_open",
        "email_token",
        ["person_id", "purpose"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("used_at is null"),
    )
    op.create_table(
        "entitlement",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["core.tenant.id"], name=op.f("fk_entitlement_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement")),
        sa.UniqueConstraint(
            "tenant_id", "plugin", "source", name=op.f("uq_entitlement_tenant_id_plugin_source")
        ),
        schema="core",
    )
    op.create_index(
        op.f("ix_entitlement_tenant_id"), "entitlement", ["tenant_id"], unique=False, schema="core"
    )
    op.create_table(
        "invoice",
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(length=14), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("tax_title", sa.String(length=60), nullable=False),
        sa.Column("tax_rate", sa.Numeric(precision=9, scale=4), nullable=False),
        sa.Column("tax_note", sa.String(length=300), nullable=False),
        sa.Column("amount_paid", sa.BigInteger(), nullable=False),
        sa.Column("amount_refunded", sa.BigInteger(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finalised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status = 'draft') = (number is null) or status = 'void'", name=op.f("ck_invoice_number")
        ),
        sa.CheckConstraint(
            "status in ('draft', 'open', 'paid', 'void', 'uncollectible')", name=op.f("ck_invoice_status")
        ),
        sa.CheckConstraint("amount_paid between 0 and total", name=op.f("ck_invoice_paid")),
        sa.CheckConstraint("total = subtotal + tax and total >= 0", name=op.f("ck_invoice_total")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["core.subscription.id"], name=op.f("fk_invoice_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint(
            "tenant_id",
            "subscription_id",
            "period_start",
            name=op.f("uq_invoice_tenant_id_subscription_id_period_start"),
        ),
        schema="core",
    )
    op.create_index(op.f("ix_invoice_tenant_id"), "invoice", ["tenant_id"], unique=False, schema="core")
    op.create_index(
        "uq_invoice_number",
        "invoice",
        ["seller_id", "number"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("number is not null"),
    )
    op.create_table(
        "ledger_balance",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["core.ledger_account.id"], name=op.f("fk_ledger_balance_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_balance")),
        sa.UniqueConstraint("tenant_id", "account_id", name=op.f("uq_ledger_balance_tenant_id_account_id")),
        schema="core",
    )
    op.create_index(
        op.f("ix_ledger_balance_tenant_id"), "ledger_balance", ["tenant_id"], unique=False, schema="core"
    )
    op.create_table(
        "ledger_entry",
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_entry_amount")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["core.ledger_account.id"], name=op.f("fk_ledger_entry_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["core.ledger_transaction.id"], name=op.f("fk_ledger_entry_transaction_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        schema="core",
    )
    op.create_index(
        op.f("ix_ledger_entry_account_id"), "ledger_entry", ["account_id"], unique=False, schema="core"
    )
    op.create_index(
        op.f("ix_ledger_entry_tenant_id"), "ledger_entry", ["tenant_id"], unique=False, schema="core"
    )
    op.create_index(
        op.f("ix_ledger_entry_transaction_id"),
        "ledger_entry",
        ["transaction_id"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "login_session",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=255), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["core.person.id"], name=op.f("fk_login_session_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["core.tenant.id"], name=op.f("fk_login_session_tenant_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
        schema="core",
    )
    op.create_index(
        op.f("ix_login_session_expires_at"), "login_session", ["expires_at"], unique=False, schema="core"
    )
    op.create_index(
        op.f("ix_login_session_person_id"), "login_session", ["person_id"], unique=False, schema="core"
    )
    op.create_table(
        "membership",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=7), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role in ('owner', 'admin', 'member', 'viewer', 'billing')", name=op.f("ck_membership_role")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["core.person.id"], name=op.f("fk_membership_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["core.tenant.id"], name=op.f("fk_membership_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("person_id", "tenant_id", name=op.f("uq_membership_person_id_tenant_id")),
        schema="core",
    )
    op.create_index(op.f("ix_membership_tenant_id"), "membership", ["tenant_id"], unique=False, schema="core")
    op.create_table(
        "notification",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("category", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("link", sa.String(length=500), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "category in ('billing', 'support', 'system', 'services')", name=op.f("ck_notification_category")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["core.person.id"], name=op.f("fk_notification_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint(
            "tenant_id", "person_id", "key", name=op.f("uq_notification_tenant_id_person_id_key")
        ),
        schema="core",
    )
    op.create_index(
        "ix_notification_inbox", "notification", ["tenant_id", "person_id", "id"], unique=False, schema="core"
    )
    op.create_index(
        op.f("ix_notification_tenant_id"), "notification", ["tenant_id"], unique=False, schema="core"
    )
    op.create_index(
        "ix_notification_unread",
        "notification",
        ["tenant_id", "person_id"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("read_at is null"),
    )
    op.create_table(
        "notification_preference",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("on", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["core.person.id"],
            name=op.f("fk_notification_preference_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_preference")),
        sa.UniqueConstraint(
            "person_id", "type", "channel", name=op.f("uq_notification_preference_person_id_type_channel")
        ),
        schema="core",
    )
    op.create_table(
        "plan_feature",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("reseller_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["core.plan.id"], name=op.f("fk_plan_feature_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_feature")),
        sa.UniqueConstraint(
            "reseller_id", "plan_id", "plugin", name=op.f("uq_plan_feature_reseller_id_plan_id_plugin")
        ),
        schema="core",
    )
    op.create_index(
        op.f("ix_plan_feature_reseller_id"), "plan_feature", ["reseller_id"], unique=False, schema="core"
    )
    op.create_table(
        "plugin_switch",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=6), nullable=False),
        sa.Column("on", sa.Boolean(), nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("by in ('owner', 'parent', 'staff')", name=op.f("ck_plugin_switch_by")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["core.tenant.id"], name=op.f("fk_plugin_switch_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plugin_switch")),
        sa.UniqueConstraint("tenant_id", "plugin", "by", name=op.f("uq_plugin_switch_tenant_id_plugin_by")),
        schema="core",
    )
    op.create_index(
        op.f("ix_plugin_switch_tenant_id"), "plugin_switch", ["tenant_id"], unique=False, schema="core"
    )
    op.create_table(
        "price",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("billing_period", sa.String(length=10), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reseller_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_price_amount")),
        sa.ForeignKeyConstraint(["plan_id"], ["core.plan.id"], name=op.f("fk_price_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price")),
        sa.UniqueConstraint(
            "reseller_id",
            "plan_id",
            "currency",
            "billing_period",
            name=op.f("uq_price_reseller_id_plan_id_currency_billing_period"),
        ),
        schema="core",
    )
    op.create_index(op.f("ix_price_reseller_id"), "price", ["reseller_id"], unique=False, schema="core")
    op.create_table(
        "service",
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("family", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("rests_as", sa.String(length=10), nullable=False),
        sa.Column("suspended_why", sa.String(length=200), nullable=False),
        sa.Column("node_id", sa.Uuid(), nullable=False),
        sa.Column("marker", sa.String(length=64), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=True),
        sa.Column("paid_by", sa.String(length=120), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status in ('pending', 'building', 'active', 'stopped', 'suspended', 'failed', 'deleting', 'deleted')",
            name=op.f("ck_service_status"),
        ),
        sa.ForeignKeyConstraint(["node_id"], ["core.node.id"], name=op.f("fk_service_node_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
        schema="core",
    )
    op.create_index(op.f("ix_service_node_id"), "service", ["node_id"], unique=False, schema="core")
    op.create_index(op.f("ix_service_tenant_id"), "service", ["tenant_id"], unique=False, schema="core")
    op.create_index(
        "ix_service_tenant_status", "service", ["tenant_id", "status"], unique=False, schema="core"
    )
    op.create_table(
        "subscription_item",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("plan_code", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("shape", sa.String(length=10), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_subscription_item_quantity")),
        sa.ForeignKeyConstraint(["plan_id"], ["core.plan.id"], name=op.f("fk_subscription_item_plan_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["core.subscription.id"], name=op.f("fk_subscription_item_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_item")),
        schema="core",
    )
    op.create_index(
        op.f("ix_subscription_item_service_id"),
        "subscription_item",
        ["service_id"],
        unique=False,
        schema="core",
    )
    op.create_index(
        op.f("ix_subscription_item_subscription_id"),
        "subscription_item",
        ["subscription_id"],
        unique=False,
        schema="core",
    )
    op.create_index(
        op.f("ix_subscription_item_tenant_id"),
        "subscription_item",
        ["tenant_id"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "checkout",
        sa.Column("plan_code", sa.String(length=60), nullable=False),
        sa.Column("billing_period", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("service_name", sa.String(length=120), nullable=False),
        sa.Column("service_settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status in ('open', 'paying', 'building', 'done', 'failed')", name=op.f("ck_checkout_status")
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["core.invoice.id"], name=op.f("fk_checkout_invoice_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["core.subscription.id"], name=op.f("fk_checkout_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkout")),
        schema="core",
    )
    op.create_index(op.f("ix_checkout_invoice_id"), "checkout", ["invoice_id"], unique=False, schema="core")
    op.create_index(op.f("ix_checkout_service_id"), "checkout", ["service_id"], unique=False, schema="core")
    op.create_index(op.f("ix_checkout_tenant_id"), "checkout", ["tenant_id"], unique=False, schema="core")
    op.create_table(
        "invitation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=7), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role in ('owner', 'admin', 'member', 'viewer', 'billing')", name=op.f("ck_invitation_role")
        ),
        sa.CheckConstraint(
            "state in ('open', 'accepted', 'declined', 'cancelled')", name=op.f("ck_invitation_state")
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["core.person.id"], name=op.f("fk_invitation_invited_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["core.tenant.id"], name=op.f("fk_invitation_tenant_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["token_id"], ["core.email_token.id"], name=op.f("fk_invitation_token_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_id", name=op.f("uq_invitation_token_id")),
        schema="core",
    )
    op.create_index(op.f("ix_invitation_tenant_id"), "invitation", ["tenant_id"], unique=False, schema="core")
    op.create_index(
        "uq_invitation_open",
        "invitation",
        ["tenant_id", sa.literal_column("lower(email)")],
        unique=True,
        schema="core",
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "invoice_line",
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=24, scale=6), nullable=False),
        sa.Column("unit_amount", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("taxable", sa.Boolean(), nullable=False),
        sa.Column("plan_code", sa.String(length=60), nullable=False),
        sa.Column("proposed_by", sa.String(length=40), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["core.invoice.id"], name=op.f("fk_invoice_line_invoice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_line")),
        sa.UniqueConstraint(
            "tenant_id", "invoice_id", "position", name=op.f("uq_invoice_line_tenant_id_invoice_id_position")
        ),
        schema="core",
    )
    op.create_index(
        op.f("ix_invoice_line_tenant_id"), "invoice_line", ["tenant_id"], unique=False, schema="core"
    )
    op.create_table(
        "operation",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=63), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.String(length=120), nullable=False),
        sa.Column("requested_by_id", sa.Uuid(), nullable=True),
        sa.Column("runner", sa.Uuid(), nullable=True),
        sa.Column("undoing", sa.Boolean(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("before", sa.String(length=10), nullable=False),
        sa.Column("estimate_seconds", sa.Double(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("fix", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status in ('queued', 'running', 'succeeded', 'failed', 'undone', 'cancelled')",
            name=op.f("ck_operation_status"),
        ),
        sa.ForeignKeyConstraint(["service_id"], ["core.service.id"], name=op.f("fk_operation_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation")),
        schema="core",
    )
    op.create_index(op.f("ix_operation_service_id"), "operation", ["service_id"], unique=False, schema="core")
    op.create_index(op.f("ix_operation_tenant_id"), "operation", ["tenant_id"], unique=False, schema="core")
    op.create_index(
        "uq_operation_open",
        "operation",
        ["tenant_id", "service_id"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("status in ('queued', 'running')"),
    )
    op.create_table(
        "operation_line",
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=63), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["core.operation.id"], name=op.f("fk_operation_line_operation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation_line")),
        sa.UniqueConstraint(
            "tenant_id", "operation_id", "seq", name=op.f("uq_operation_line_tenant_id_operation_id_seq")
        ),
        schema="core",
    )
    op.create_index(
        op.f("ix_operation_line_tenant_id"), "operation_line", ["tenant_id"], unique=False, schema="core"
    )
    op.create_table(
        "operation_step",
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=True),
        sa.Column("estimate_seconds", sa.Double(), nullable=False),
        sa.Column("recorded", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status in ('waiting', 'doing', 'done', 'failed', 'undone')",
            name=op.f("ck_operation_step_status"),
        ),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["core.operation.id"], name=op.f("fk_operation_step_operation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation_step")),
        sa.UniqueConstraint(
            "tenant_id", "operation_id", "name", name=op.f("uq_operation_step_tenant_id_operation_id_name")
        ),
        schema="core",
    )
    op.create_index(
        op.f("ix_operation_step_operation_id"),
        "operation_step",
        ["operation_id"],
        unique=False,
        schema="core",
    )
    op.create_index(
        op.f("ix_operation_step_tenant_id"), "operation_step", ["tenant_id"], unique=False, schema="core"
    )
    op.create_table(
        "payment",
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("checkout_id", sa.Uuid(), nullable=True),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("method_id", sa.Uuid(), nullable=False),
        sa.Column("intent", sa.String(length=10), nullable=False),
        sa.Column("off_session", sa.Boolean(), nullable=False),
        sa.Column("return_url", sa.String(length=500), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("fix", sa.String(length=300), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("intent in ('charge', 'authorise')", name=op.f("ck_payment_intent")),
        sa.CheckConstraint(
            "status in ('created', 'requires_action', 'pending', 'authorised', 'succeeded', 'declined', 'cancelled')",
            name=op.f("ck_payment_status"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payment_amount")),
        sa.ForeignKeyConstraint(["checkout_id"], ["core.checkout.id"], name=op.f("fk_payment_checkout_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["core.invoice.id"], name=op.f("fk_payment_invoice_id")),
        sa.ForeignKeyConstraint(["method_id"], ["core.payment_method.id"], name=op.f("fk_payment_method_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_payment_tenant_id_key")),
        schema="core",
    )
    op.create_index(op.f("ix_payment_invoice_id"), "payment", ["invoice_id"], unique=False, schema="core")
    op.create_index(op.f("ix_payment_reference"), "payment", ["reference"], unique=False, schema="core")
    op.create_index(op.f("ix_payment_tenant_id"), "payment", ["tenant_id"], unique=False, schema="core")
    op.create_index(
        "uq_payment_one_open_attempt",
        "payment",
        ["tenant_id", "invoice_id"],
        unique=True,
        schema="core",
        postgresql_where=sa.text(
            "status in ('created', 'requires_action', 'pending', 'authorised', 'succeeded')"
        ),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_payment_one_open_attempt",
        table_name="payment",
        schema="core",
        postgresql_where=sa.text(
            "status in ('created', 'requires_action', 'pending', 'authorised', 'succeeded')"
        ),
    )
    op.drop_index(op.f("ix_payment_tenant_id"), table_name="payment", schema="core")
    op.drop_index(op.f("ix_payment_reference"), table_name="payment", schema="core")
    op.drop_index(op.f("ix_payment_invoice_id"), table_name="payment", schema="core")
    op.drop_table("payment", schema="core")
    op.drop_index(op.f("ix_operation_step_tenant_id"), table_name="operation_step", schema="core")
    op.drop_index(op.f("ix_operation_step_operation_id"), table_name="operation_step", schema="core")
    op.drop_table("operation_step", schema="core")
    op.drop_index(op.f("ix_operation_line_tenant_id"), table_name="operation_line", schema="core")
    op.drop_table("operation_line", schema="core")
    op.drop_index(
        "uq_operation_open",
        table_name="operation",
        schema="core",
        postgresql_where=sa.text("status in ('queued', 'running')"),
    )
    op.drop_index(op.f("ix_operation_tenant_id"), table_name="operation", schema="core")
    op.drop_index(op.f("ix_operation_service_id"), table_name="operation", schema="core")
    op.drop_table("operation", schema="core")
    op.drop_index(op.f("ix_invoice_line_tenant_id"), table_name="invoice_line", schema="core")
    op.drop_table("invoice_line", schema="core")
    op.drop_index(
        "uq_invitation_open",
        table_name="invitation",
        schema="core",
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index(op.f("ix_invitation_tenant_id"), table_name="invitation", schema="core")
    op.drop_table("invitation", schema="core")
    op.drop_index(op.f("ix_checkout_tenant_id"), table_name="checkout", schema="core")
    op.drop_index(op.f("ix_checkout_service_id"), table_name="checkout", schema="core")
    op.drop_index(op.f("ix_checkout_invoice_id"), table_name="checkout", schema="core")
    op.drop_table("checkout", schema="core")
    op.drop_index(op.f("ix_subscription_item_tenant_id"), table_name="subscription_item", schema="core")
    op.drop_index(op.f("ix_subscription_item_subscription_id"), table_name="subscription_item", schema="core")
    op.drop_index(op.f("ix_subscription_item_service_id"), table_name="subscription_item", schema="core")
    op.drop_table("subscription_item", schema="core")
    op.drop_index("ix_service_tenant_status", table_name="service", schema="core")
    op.drop_index(op.f("ix_service_tenant_id"), table_name="service", schema="core")
    op.drop_index(op.f("ix_service_node_id"), table_name="service", schema="core")
    op.drop_table("service", schema="core")
    op.drop_index(op.f("ix_price_reseller_id"), table_name="price", schema="core")
    op.drop_table("price", schema="core")
    op.drop_index(op.f("ix_plugin_switch_tenant_id"), table_name="plugin_switch", schema="core")
    op.drop_table("plugin_switch", schema="core")
    op.drop_index(op.f("ix_plan_feature_reseller_id"), table_name="plan_feature", schema="core")
    op.drop_table("plan_feature", schema="core")
    op.drop_table("notification_preference", schema="core")
    op.drop_index(
        "ix_notification_unread",
        table_name="notification",
        schema="core",
        postgresql_where=sa.text("read_at is null"),
    )
    op.drop_index(op.f("ix_notification_tenant_id"), table_name="notification", schema="core")
    op.drop_index("ix_notification_inbox", table_name="notification", schema="core")
    op.drop_table("notification", schema="core")
    op.drop_index(op.f("ix_membership_tenant_id"), table_name="membership", schema="core")
    op.drop_table("membership", schema="core")
    op.drop_index(op.f("ix_login_session_person_id"), table_name="login_session", schema="core")
    op.drop_index(op.f("ix_login_session_expires_at"), table_name="login_session", schema="core")
    op.drop_table("login_session", schema="core")
    op.drop_index(op.f("ix_ledger_entry_transaction_id"), table_name="ledger_entry", schema="core")
    op.drop_index(op.f("ix_ledger_entry_tenant_id"), table_name="ledger_entry", schema="core")
    op.drop_index(op.f("ix_ledger_entry_account_id"), table_name="ledger_entry", schema="core")
    op.drop_table("ledger_entry", schema="core")
    op.drop_index(op.f("ix_ledger_balance_tenant_id"), table_name="ledger_balance", schema="core")
    op.drop_table("ledger_balance", schema="core")
    op.drop_index(
        "uq_invoice_number",
        table_name="invoice",
        schema="core",
        postgresql_where=sa.text("number is not null"),
    )
    op.drop_index(op.f("ix_invoice_tenant_id"), table_name="invoice", schema="core")
    op.drop_table("invoice", schema="core")
    op.drop_index(op.f("ix_entitlement_tenant_id"), table_name="entitlement", schema="core")
    op.drop_table("entitlement", schema="core")
    op.drop_index(
        "ix_email_token_open",
        table_name="email_token",
        schema="core",
        postgresql_where=sa.text("used_at is null"),
    )
    op.drop_index(op.f("ix_email_token_expires_at"), table_name="email_token", schema="core")
    op.drop_table("email_token", schema="core")
    op.drop_index(
        "ix_drift_open", table_name="drift", schema="core", postgresql_where=sa.text("resolved_at is null")
    )
    op.drop_index(op.f("ix_drift_node_id"), table_name="drift", schema="core")
    op.drop_table("drift", schema="core")
    op.drop_index(op.f("ix_breaker_tenant_id"), table_name="breaker", schema="core")
    op.drop_table("breaker", schema="core")
    op.drop_index(op.f("ix_brand_host_reseller_id"), table_name="brand_host", schema="core")
    op.drop_table("brand_host", schema="core")
    op.drop_index(op.f("ix_api_key_tenant_id"), table_name="api_key", schema="core")
    op.drop_table("api_key", schema="core")
    op.drop_index(op.f("ix_tenant_parent_id"), table_name="tenant", schema="core")
    op.drop_table("tenant", schema="core")
    op.drop_index(
        "uq_subscription_one_hosting_plan",
        table_name="subscription",
        schema="core",
        postgresql_where=sa.text("shape = 'hosting' and status <> 'cancelled'"),
    )
    op.drop_index(op.f("ix_subscription_tenant_id"), table_name="subscription", schema="core")
    op.drop_index(
        "ix_subscription_due",
        table_name="subscription",
        schema="core",
        postgresql_where=sa.text("status in ('active', 'past_due')"),
    )
    op.drop_table("subscription", schema="core")
    op.drop_index(op.f("ix_seller_reseller_id"), table_name="seller", schema="core")
    op.drop_table("seller", schema="core")
    op.drop_index(op.f("ix_schedule_next_at"), table_name="schedule", schema="core")
    op.drop_table("schedule", schema="core")
    op.drop_index("ix_plugin_state_plugin", table_name="plugin_state", schema="core")
    op.drop_table("plugin_state", schema="core")
    op.drop_index(op.f("ix_plugin_settings_tenant_id"), table_name="plugin_settings", schema="core")
    op.drop_table("plugin_settings", schema="core")
    op.drop_index(op.f("ix_plan_reseller_id"), table_name="plan", schema="core")
    op.drop_table("plan", schema="core")
    op.drop_index("uq_person_email_lower", table_name="person", schema="core")
    op.drop_table("person", schema="core")
    op.drop_index(
        "uq_payment_method_one_default",
        table_name="payment_method",
        schema="core",
        postgresql_where=sa.text("is_default and removed_at is null"),
    )
    op.drop_index(op.f("ix_payment_method_tenant_id"), table_name="payment_method", schema="core")
    op.drop_table("payment_method", schema="core")
    op.drop_table("number_series", schema="core")
    op.drop_table("node", schema="core")
    op.drop_index("ix_mail_message_tenant_id_id", table_name="mail_message", schema="core")
    op.drop_index(
        "ix_mail_message_open",
        table_name="mail_message",
        schema="core",
        postgresql_where=sa.text("status <> 'sent'"),
    )
    op.drop_table("mail_message", schema="core")
    op.drop_index(op.f("ix_login_attempt_last_at"), table_name="login_attempt", schema="core")
    op.drop_table("login_attempt", schema="core")
    op.drop_index(op.f("ix_ledger_transaction_tenant_id"), table_name="ledger_transaction", schema="core")
    op.drop_table("ledger_transaction", schema="core")
    op.drop_index(op.f("ix_ledger_account_tenant_id"), table_name="ledger_account", schema="core")
    op.drop_table("ledger_account", schema="core")
    op.drop_index(
        "ix_job_waiting", table_name="job", schema="core", postgresql_where=sa.text("due_at is null")
    )
    op.drop_index(
        "ix_job_running", table_name="job", schema="core", postgresql_where=sa.text("state = 'running'")
    )
    op.drop_index(
        "ix_job_ready", table_name="job", schema="core", postgresql_where=sa.text("state = 'ready'")
    )
    op.drop_index("ix_job_done", table_name="job", schema="core", postgresql_where=sa.text("state = 'done'"))
    op.drop_index(
        "ix_job_broken",
        table_name="job",
        schema="core",
        postgresql_where=sa.text("state in ('failed', 'dead')"),
    )
    op.drop_table("job", schema="core")
    op.drop_table("installed_plugin", schema="core")
    op.drop_index(op.f("ix_idempotency_key_tenant_id"), table_name="idempotency_key", schema="core")
    op.drop_table("idempotency_key", schema="core")
    op.drop_index(op.f("ix_hostname_service_id"), table_name="hostname", schema="core")
    op.drop_table("hostname", schema="core")
    op.drop_table("event_subject", schema="core")
    op.drop_table("event_handler", schema="core")
    op.drop_index("ix_event_tenant_id_subject_seq", table_name="event", schema="core")
    op.drop_index(op.f("ix_event_created_at"), table_name="event", schema="core")
    op.drop_table("event", schema="core")
    op.drop_index(op.f("ix_brand_reseller_id"), table_name="brand", schema="core")
    op.drop_table("brand", schema="core")
    op.drop_index(op.f("ix_billing_profile_tenant_id"), table_name="billing_profile", schema="core")
    op.drop_table("billing_profile", schema="core")
    op.drop_index("ix_audit_entry_tenant_id_subject", table_name="audit_entry", schema="core")
    op.drop_index("ix_audit_entry_tenant_id_at", table_name="audit_entry", schema="core")
    op.drop_index(op.f("ix_audit_entry_tenant_id"), table_name="audit_entry", schema="core")
    op.drop_table("audit_entry", schema="core")
