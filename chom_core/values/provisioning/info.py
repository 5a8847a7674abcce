"""Services and operations as everybody else sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chom_core.values.provisioning.kinds import Family


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """A service as everybody else sees it. `facts` are the recorded ones, without secrets."""

    id: UUID
    tenant_id: UUID
    kind: str
    kind_title: str
    family: Family
    name: str
    title: str
    status: str
    url: str
    node: str
    region: str
    paid_by: str
    settings: Mapping[str, Any]
    facts: Mapping[str, Any]
    created_at: datetime
    operation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class StepInfo:
    """One step of an operation as the page shows it."""

    name: str
    title: str
    status: str
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    progress: float | None
    estimate_seconds: float


@dataclass(frozen=True, slots=True)
class OperationInfo:
    """An operation with its steps. `seq` grows with every change; `seconds_left` is an estimate."""

    id: UUID
    tenant_id: UUID
    service_id: UUID
    action: str
    status: str
    seq: int
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds_left: int | None
    error: str
    fix: str
    cancel_requested: bool
    steps: tuple[StepInfo, ...] = ()

    @property
    def final(self) -> bool:
        """Has it ended, one way or another?"""
        return self.status not in ("queued", "running")
