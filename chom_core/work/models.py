"""The tables of the work floor: events, who handles them, jobs, schedules, and where plugins are on.

All of them are platform rows: a worker claims across organisations before it enters one.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Model, PlatformRow

#: ready: waits for a worker · running: leased · done · failed: its handler gave up · dead: out of attempts.
STATES = ("ready", "running", "done", "failed", "dead")


class Event(PlatformRow, Model):
    """A fact, kept 90 days. `seq` counts the events of one subject (1, 2, …) in the order of their commits."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_tenant_id_subject_seq", "tenant_id", "subject", "seq"),)

    # Machine time, for the purge; `at` is business time.
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    tenant_id: Mapped[UUID | None]
    type: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(120))
    seq: Mapped[int] = mapped_column(BigInteger)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime]


class EventSubject(PlatformRow, Model):
    """The last number given to an event of a subject. Its row lock keeps numbers in the order of commits."""

    __tablename__ = "event_subject"
    __table_args__ = (UniqueConstraint("tenant_id", "subject", postgresql_nulls_not_distinct=True),)

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    tenant_id: Mapped[UUID | None]
    subject: Mapped[str] = mapped_column(String(120))
    seq: Mapped[int] = mapped_column(BigInteger)


class EventHandlerRow(PlatformRow, Model):
    """A subscription, written at install: events of `event_type` become jobs of `job_kind`. Core: plugin is null."""

    __tablename__ = "event_handler"
    __table_args__ = (
        UniqueConstraint("event_type", "job_kind", "plugin", postgresql_nulls_not_distinct=True),
    )

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    plugin: Mapped[str | None] = mapped_column(String(63))
    event_type: Mapped[str] = mapped_column(String(80))
    job_kind: Mapped[str] = mapped_column(String(160))
    pool: Mapped[str] = mapped_column(String(16), default="default")
    max_attempts: Mapped[int] = mapped_column(default=5)


class PluginState(PlatformRow, Model):
    """A row exists if and only if the plugin is effectively on for the organisation. plugin_host writes it."""

    __tablename__ = "plugin_state"
    __table_args__ = (UniqueConstraint("tenant_id", "plugin"), Index("ix_plugin_state_plugin", "plugin"))

    tenant_id: Mapped[UUID]
    plugin: Mapped[str] = mapped_column(String(63))
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class JobRow(PlatformRow, Model):
    """A piece of work. `token` counts claims and fences off a worker whose lease was lost.

    `due_at` is machine time; null means: waits until the organisation's test clock reaches `business_due_at`.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state in ('ready', 'running', 'done', 'failed', 'dead')", name="state"),
        Index("ix_job_ready", "pool", "due_at", "id", postgresql_where=text("state = 'ready'")),
        Index("ix_job_running", "lease_until", postgresql_where=text("state = 'running'")),
        Index("ix_job_waiting", "tenant_id", "business_due_at", postgresql_where=text("due_at is null")),
        Index("ix_job_broken", "finished_at", postgresql_where=text("state in ('failed', 'dead')")),
        Index("ix_job_done", "finished_at", postgresql_where=text("state = 'done'")),
    )

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    tenant_id: Mapped[UUID | None]
    plugin: Mapped[str | None] = mapped_column(String(63))
    kind: Mapped[str] = mapped_column(String(160))
    pool: Mapped[str] = mapped_column(String(16))
    args: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(String(8), server_default="ready")
    due_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    business_due_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    token: Mapped[int] = mapped_column(BigInteger, server_default="0")
    attempts: Mapped[int] = mapped_column(server_default="0")
    max_attempts: Mapped[int]
    last_error: Mapped[str | None] = mapped_column(Text)
    key: Mapped[str | None] = mapped_column(String(255), unique=True)
    event_id: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]


class ScheduleRow(PlatformRow, Model):
    """Work that returns: a cron line in a zone, run once for the platform or once for each organisation."""

    __tablename__ = "schedule"
    __table_args__ = (CheckConstraint("per in ('platform', 'tenant')", name="per"),)

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    name: Mapped[str] = mapped_column(String(120), unique=True)
    plugin: Mapped[str | None] = mapped_column(String(63))
    kind: Mapped[str] = mapped_column(String(160))
    cron: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    per: Mapped[str] = mapped_column(String(8), default="platform")
    pool: Mapped[str] = mapped_column(String(16), default="default")
    max_attempts: Mapped[int] = mapped_column(default=5)
    next_at: Mapped[datetime] = mapped_column(index=True)
    last_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
