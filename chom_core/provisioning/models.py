"""Nodes, names, services, operations with their journal, and drift. Only this domain's verbs write them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Encrypted, Model, PlatformRow, TenantRow

NODE_STATUSES = ("active", "draining", "offline")
SERVICE_STATUSES = (
    "pending", "building", "active", "stopped", "suspended", "failed", "deleting", "deleted",
)  # fmt: skip
OPERATION_STATUSES = ("queued", "running", "succeeded", "failed", "undone", "cancelled")
STEP_STATUSES = ("waiting", "doing", "done", "failed", "undone")
OPEN = ("queued", "running")
#: The fact of a service that says what it takes on disk, in bytes: the drift sweep notes it, usage meters it.
STORAGE = "storage_bytes"


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({words})", name=column)


class Node(PlatformRow, Model):
    """A machine that services run on. `used` counts the services placed on it; `capacity` bounds them."""

    __tablename__ = "node"
    __table_args__ = (_one_of("status", NODE_STATUSES),)

    name: Mapped[str] = mapped_column(String(63), unique=True)
    driver: Mapped[str] = mapped_column(String(63))
    region: Mapped[str] = mapped_column(String(63), default="")
    address: Mapped[str] = mapped_column(String(255), default="")
    capacity: Mapped[int] = mapped_column(default=100)
    used: Mapped[int] = mapped_column(default=0, server_default="0")
    status: Mapped[str] = mapped_column(String(10), default="active")
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    secrets: Mapped[str | None] = mapped_column(Encrypted)
    swept_at: Mapped[datetime | None]
    sweep_error: Mapped[str] = mapped_column(Text, default="", server_default="")


class Hostname(PlatformRow, Model):
    """A claimed name. Names are unique on the whole platform; whose a name is stands behind the fence."""

    __tablename__ = "hostname"

    name: Mapped[str] = mapped_column(String(63), unique=True)
    service_id: Mapped[UUID] = mapped_column(index=True)


class Service(TenantRow, Model):
    """Something a customer runs: a site or a server. A deleted service keeps its row, for bills and history.

    `marker` proves its identity when read back from it. `rests_as` is the status before it was suspended.
    """

    __tablename__ = "service"
    __table_args__ = (
        _one_of("status", SERVICE_STATUSES),
        Index("ix_service_tenant_status", "tenant_id", "status"),
    )

    kind: Mapped[str] = mapped_column(String(63))
    family: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(63))
    title: Mapped[str] = mapped_column(String(120), default="")
    status: Mapped[str] = mapped_column(String(10), default="pending")
    rests_as: Mapped[str] = mapped_column(String(10), default="")
    suspended_why: Mapped[str] = mapped_column(String(200), default="")
    node_id: Mapped[UUID] = mapped_column(ForeignKey("core.node.id"), index=True)
    marker: Mapped[str] = mapped_column(String(64))
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    secrets: Mapped[str | None] = mapped_column(Encrypted)
    paid_by: Mapped[str] = mapped_column(String(120), default="")
    deleted_at: Mapped[datetime | None]


class Operation(TenantRow, Model):
    """One long thing done to a service. At most one is open per service.

    `seq` grows with every change and numbers the log's lines: pages ask for what came after it. `runner` is the
    fencing token of the process that drives it: a process that lost it writes nothing any more. `undoing` is set
    once the way is back.
    """

    __tablename__ = "operation"
    __table_args__ = (
        _one_of("status", OPERATION_STATUSES),
        Index(
            "uq_operation_open",
            "tenant_id",
            "service_id",
            unique=True,
            postgresql_where=text("status in ('queued', 'running')"),
        ),
    )

    service_id: Mapped[UUID] = mapped_column(ForeignKey("core.service.id"), index=True)
    action: Mapped[str] = mapped_column(String(63))
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    status: Mapped[str] = mapped_column(String(10), default="queued")
    seq: Mapped[int] = mapped_column(default=0)
    requested_by: Mapped[str] = mapped_column(String(120), default="")
    requested_by_id: Mapped[UUID | None]
    runner: Mapped[UUID | None]
    undoing: Mapped[bool] = mapped_column(default=False)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    before: Mapped[str] = mapped_column(String(10), default="")
    estimate_seconds: Mapped[float] = mapped_column(default=0.0)
    error: Mapped[str] = mapped_column(Text, default="")
    fix: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class OperationStep(TenantRow, Model):
    """The journal: what a step has done so far. `recorded` are the facts it wrote, forgotten when it is undone.

    `attempts` counts every beginning, `failures` only those that ended in an error: a crash is not a failure.
    """

    __tablename__ = "operation_step"
    __table_args__ = (
        _one_of("status", STEP_STATUSES),
        UniqueConstraint("tenant_id", "operation_id", "name"),
    )

    operation_id: Mapped[UUID] = mapped_column(ForeignKey("core.operation.id"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(63))
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(10), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    progress: Mapped[float | None]
    estimate_seconds: Mapped[float] = mapped_column(default=1.0)
    recorded: Mapped[list[str]] = mapped_column(JSONB, default=list)
    error: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class OperationLine(TenantRow, Model):
    """A line of an operation's log, numbered by the operation's `seq`."""

    __tablename__ = "operation_line"
    __table_args__ = (UniqueConstraint("tenant_id", "operation_id", "seq"),)

    operation_id: Mapped[UUID] = mapped_column(ForeignKey("core.operation.id"))
    seq: Mapped[int]
    step: Mapped[str] = mapped_column(String(63), default="")
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Drift(PlatformRow, Model):
    """A difference between a node and the record: orphan (nobody's), missing (gone), state (runs, or does not).

    `resolved_at` is set by the sweep that no longer finds it, or by staff who say it is fine.
    """

    __tablename__ = "drift"
    __table_args__ = (
        _one_of("sort", ("orphan", "missing", "state")),
        Index("ix_drift_open", "node_id", postgresql_where=text("resolved_at is null")),
    )

    node_id: Mapped[UUID] = mapped_column(ForeignKey("core.node.id"), index=True)
    sort: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(255))
    detail: Mapped[str] = mapped_column(Text, default="")
    service_id: Mapped[UUID | None]
    owner_id: Mapped[UUID | None]
    seen_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str] = mapped_column(String(120), default="")
