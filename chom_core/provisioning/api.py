"""REST: services and their actions, operations and their logs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from chom_core.provisioning import kinds, nodes, reads, service
from chom_core.provisioning.schemas import (
    ActionSchema,
    DeleteQuerySchema,
    KindSchema,
    LineSchema,
    LinesQuery,
    NewServiceSchema,
    OperationQuery,
    OperationSchema,
    RenameSchema,
    ServiceQuery,
    ServiceSchema,
)
from chom_core.rest import ApiRoutes, Page
from chom_core.values.provisioning import OperationInfo, ServiceInfo

services = ApiRoutes("services", __name__, prefix="/services", access="viewer")
operations = ApiRoutes("operations", __name__, prefix="/operations", access="viewer")
READ, WRITE = "services:read", "services:write"
_SERVICE = tuple(ServiceSchema._declared_fields)
_OPERATION = tuple(OperationSchema._declared_fields)


def _service(info: ServiceInfo) -> dict[str, Any]:
    return {name: getattr(info, name) for name in _SERVICE}


def _operation(info: OperationInfo) -> dict[str, Any]:
    shown = {name: getattr(info, name) for name in _OPERATION if name != "steps"}
    hidden = "estimate_seconds"
    return {**shown, "steps": [{k: v for k, v in asdict(s).items() if k != hidden} for s in info.steps]}


def _page(found: list[Any], limit: int) -> Page[Any]:
    """`found` holds one more than asked for where there is a next page."""
    items = found[:limit]
    return Page(items, items[-1]["id"] if len(found) > limit else None)


@services.get("/", scope=READ, into=ServiceQuery, out=ServiceSchema, many=True)
def list_services(query: dict[str, Any]) -> Page[Any]:
    """Services that are not deleted, newest first. `status=deleted` lists those that are."""
    limit = query.pop("limit")
    return _page([_service(s) for s in reads.services(**query, limit=limit + 1)], limit)


@services.get("/kinds", scope=READ, out=KindSchema, many=True)
def list_kinds() -> list[dict[str, Any]]:
    """The kinds of service that can be ordered here now."""
    buildable = nodes.buildable()
    return [
        {"name": k.name, "title": str(k.title), "description": str(k.description), "family": k.family}
        for k in kinds.kinds().values()
        if k.name in buildable
    ]


@services.post("/", access="member", scope=WRITE, into=NewServiceSchema, out=OperationSchema, status=202)
def create_service(body: dict[str, Any]) -> dict[str, Any]:
    """Order a service. The answer is the operation that builds it: poll it until its status is final."""
    return _operation(service.create_service(**body))


@services.get("/<uuid:service_id>", scope=READ, out=ServiceSchema)
def show_service(service_id: UUID) -> dict[str, Any]:
    return _service(reads.service(service_id))


@services.patch(
    "/<uuid:service_id>", access="member", scope=WRITE, into=RenameSchema, out=ServiceSchema, status=200
)
def rename_service(body: dict[str, Any], service_id: UUID) -> dict[str, Any]:
    """Change its title."""
    return _service(service.rename_service(service_id, body["title"]))


@services.post(
    "/<uuid:service_id>/actions/<action>", access="member", scope=WRITE, into=ActionSchema, out=OperationSchema,
    status=202,
)  # fmt: skip
def act(body: dict[str, Any], service_id: UUID, action: str) -> dict[str, Any]:
    """start, stop, restart, or one of the kind's own actions. The answer is its operation."""
    return _operation(service.act(service_id, action, body["settings"]))


@services.post(
    "/<uuid:service_id>/delete",
    access="admin",
    scope=WRITE,
    into=DeleteQuerySchema,
    out=OperationSchema,
    status=202,
)
def delete_service(body: dict[str, Any], service_id: UUID) -> dict[str, Any]:
    """Delete it for good. `name` must be its name."""
    return _operation(service.delete_service(service_id, body["name"]))


@operations.get("/", scope=READ, into=OperationQuery, out=OperationSchema, many=True)
def list_operations(query: dict[str, Any]) -> Page[Any]:
    """Operations, newest first, without their steps."""
    limit = query.pop("limit")
    return _page([_operation(o) for o in reads.operations(**query, limit=limit + 1)], limit)


@operations.get("/<uuid:operation_id>", scope=READ, out=OperationSchema)
def show_operation(operation_id: UUID) -> dict[str, Any]:
    return _operation(reads.operation(operation_id))


@operations.get("/<uuid:operation_id>/log", scope=READ, into=LinesQuery, out=LineSchema, many=True)
def show_log(query: dict[str, Any], operation_id: UUID) -> list[reads.Line]:
    """The log after `after`, oldest first."""
    reads.operation(operation_id)
    return list(reads.lines(operation_id, after=query["after"]))


@operations.post("/<uuid:operation_id>/cancel", access="member", scope=WRITE, out=OperationSchema, status=200)
def cancel(operation_id: UUID) -> dict[str, Any]:
    """Cancel it at the next safe point; what was done is taken back."""
    return _operation(service.cancel_operation(operation_id))


@operations.post("/<uuid:operation_id>/retry", access="member", scope=WRITE, out=OperationSchema, status=202)
def retry(operation_id: UUID) -> dict[str, Any]:
    """Do again what failed, as a new operation."""
    return _operation(service.retry_operation(operation_id))
