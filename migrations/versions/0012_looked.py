"""Billing: how far a reseller's customers were looked at stands in rows of its own, one for each purpose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0012"
down_revision = "core_0011"
branch_labels = None
depends_on = None

KEPT = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.create_table(
        "looked",
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("after", sa.Uuid(), nullable=False),
        sa.Column("seen", KEPT, nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_looked")),
        sa.UniqueConstraint("tenant_id", "purpose", name=op.f("uq_looked_tenant_id_purpose")),
        schema="core",
    )
    op.execute("""
        insert into core.looked (id, created_at, tenant_id, purpose, after, seen)
        select gen_random_uuid(), now(), tenant_id, 'share', (looked ->> 'after')::uuid, looked -> 'seen'
        from core.settlement where looked ? 'after'
    """)
    op.drop_column("settlement", "looked", schema="core")


def downgrade() -> None:
    none = sa.text("'{}'::jsonb")
    op.add_column("settlement", sa.Column("looked", KEPT, server_default=none, nullable=False), schema="core")
    op.execute("""
        update core.settlement s set looked = jsonb_build_object('after', l.after, 'seen', l.seen)
        from core.looked l where l.tenant_id = s.tenant_id and l.purpose = 'share'
    """)
    op.drop_table("looked", schema="core")
