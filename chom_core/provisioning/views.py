"""From rows to the values that everybody else sees."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chom_core.database import clock
from chom_core.provisioning import kinds
from chom_core.provisioning.models import OPEN, Node, Operation, OperationStep, Service
from chom_core.values.provisioning import (
    NodeInfo,
    OperationContext,
    OperationInfo,
    ServiceFacts,
    ServiceInfo,
    StepInfo,
)


def node_info(node: Node) -> NodeInfo:
    """The node for its driver, with its secrets."""
    return NodeInfo(
        id=node.id,
        name=node.name,
        driver=node.driver,
        region=node.region,
        address=node.address,
        status=node.status,
        facts=dict(node.facts),
        secrets=secrets_of(node),
    )


def secrets_of(row: Node | Service) -> dict[str, str]:
    """The encrypted facts of a row, in clear: for its driver only."""
    return json.loads(row.secrets) if row.secrets else {}


def service_facts(service: Service, node: Node) -> ServiceFacts:
    """The service for its driver, with its secrets."""
    return ServiceFacts(
        id=service.id,
        tenant_id=service.tenant_id,
        kind=service.kind,
        name=service.name,
        title=service.title or service.name,
        marker=service.marker,
        node=node_info(node),
        settings=dict(service.settings),
        facts=dict(service.facts),
        secrets=secrets_of(service),
    )


def operation_context(operation: Operation, service: Service, node: Node) -> OperationContext:
    return OperationContext(
        operation.id, operation.action, service_facts(service, node), dict(operation.settings)
    )


def service_info(
    service_id: UUID,
    tenant_id: UUID,
    kind: str,
    family: str,
    name: str,
    title: str,
    status: str,
    node: str,
    region: str,
    paid_by: str,
    settings: dict[str, Any],
    facts: dict[str, Any],
    created_at: datetime,
    operation_id: UUID | None,
) -> ServiceInfo:
    """The service as pages, the API and plugins see it, from the columns of `reads.rows`."""
    known = kinds.kind(kind)
    return ServiceInfo(
        id=service_id,
        tenant_id=tenant_id,
        kind=kind,
        kind_title=str(known.title) if known else kind,
        family="site" if family == "site" else "server",
        name=name,
        title=title or name,
        status=status,
        url=str(facts.get("url", "")),
        node=node,
        region=region,
        paid_by=paid_by,
        settings=settings,
        facts=facts,
        created_at=created_at,
        operation_id=operation_id,
    )


def step_info(row: OperationStep) -> StepInfo:
    return StepInfo(
        row.name, row.title, row.status, row.attempts, row.started_at, row.finished_at, row.progress,
        row.estimate_seconds,
    )  # fmt: skip


def operation_info(operation: Operation, steps: Sequence[OperationStep] = ()) -> OperationInfo:
    """The operation with its steps in order."""
    return OperationInfo(
        id=operation.id,
        tenant_id=operation.tenant_id,
        service_id=operation.service_id,
        action=operation.action,
        status=operation.status,
        seq=operation.seq,
        requested_by=operation.requested_by,
        created_at=operation.created_at,
        started_at=operation.started_at,
        finished_at=operation.finished_at,
        seconds_left=_seconds_left(operation, steps),
        error=operation.error,
        fix=operation.fix,
        cancel_requested=operation.cancel_requested,
        steps=tuple(step_info(row) for row in sorted(steps, key=lambda row: row.position)),
    )


def _seconds_left(operation: Operation, steps: Sequence[OperationStep]) -> int | None:
    """What the estimates of the steps still ahead add up to; None once it has ended or turned back."""
    if operation.status not in OPEN or operation.undoing or not steps:
        return None
    now = clock.machine()
    return max(1, round(sum(_left(row, now) for row in steps)))


def _left(row: OperationStep, now: datetime) -> float:
    if row.status == "waiting":
        return row.estimate_seconds
    if row.status != "doing" or row.started_at is None:
        return 0.0
    spent = (now - row.started_at).total_seconds()
    if row.progress:
        return max(0.0, spent / row.progress - spent)
    return max(1.0, row.estimate_seconds - spent)
