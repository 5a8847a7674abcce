"""What an operation's beginning and end mean for its service: statuses, events, names and places given back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from chom_core.database import acting_as, clock, transaction
from chom_core.provisioning.journal import Journal
from chom_core.provisioning.models import OPEN, Hostname, Node, Operation, Service
from chom_core.work import emit

#: The status a service has while the operation runs, where it differs from the one before.
WHILE = {"create": "building", "delete": "deleting"}
#: The status after success. What is not here leaves the service as it was.
AFTER = {
    "create": "active",
    "start": "active",
    "restart": "active",
    "stop": "stopped",
    "suspend": "suspended",
    "delete": "deleted",
}


def claim(journal: Journal) -> bool:
    """Make this process the operation's runner. False where it has ended already."""
    with acting_as("core"), transaction(journal.tenant_id) as here:
        service = journal.service(here, lock=True)
        query = select(Operation).where(Operation.id == journal.operation_id).with_for_update()
        operation = here.scalar(query)
        if operation is None or operation.status not in OPEN:
            return False
        operation.runner, operation.status = journal.runner, "running"
        operation.seq += 1
        operation.started_at = operation.started_at or clock.machine()
        service.status = WHILE.get(operation.action, service.status)
    return True


def finish(journal: Journal, outcome: str, *, health: bool = False) -> str:
    """End the operation and settle its service, in one transaction with the events that say so.

    `health`: after a way back, whether the driver saw the service run with its own marker.
    """
    with journal.writing(service=True) as (here, operation):
        service = journal.service(here)
        operation.status, operation.finished_at = outcome, clock.machine()
        if outcome == "succeeded":
            operation.error = operation.fix = ""
            _succeeded(here, operation, service)
        else:
            settle_failure(here, operation, service, cancelled=outcome == "cancelled", health=health)
    return outcome


def _succeeded(here: Session, operation: Operation, service: Service) -> None:
    if operation.action == "unsuspend":
        service.status, service.rests_as, service.suspended_why = service.rests_as or "active", "", ""
    else:
        if operation.action == "suspend":
            service.rests_as = operation.before
        service.status = AFTER.get(operation.action, operation.before)
    if service.status == "deleted":
        release(here, service)
    announce(service, operation)


def settle_failure(
    here: Session, operation: Operation, service: Service, *, cancelled: bool, health: bool
) -> None:
    """What becomes of a service whose operation did not succeed. Nothing reads active that was not seen running."""
    if operation.action == "create" and cancelled:
        service.status = "deleted"
        release(here, service)
    elif operation.action in ("create", "delete"):
        service.status = "failed"
    elif operation.action == "suspend" or operation.before not in ("active", "stopped"):
        service.status = operation.before
    else:
        service.status = "active" if health else "stopped"
    announce(service, operation)


def release(here: Session, service: Service) -> None:
    """The service is gone: its name is free, its place on the node too, its secrets are forgotten."""
    here.execute(delete(Hostname).where(Hostname.service_id == service.id))
    here.execute(update(Node).where(Node.id == service.node_id).values(used=Node.used - 1))
    service.secrets = None
    service.deleted_at = clock.now()


def announce(service: Service, operation: Operation | None, **more: Any) -> None:
    """Emit `service.<status>` for what the service has just become."""
    payload: dict[str, Any] = {
        "service_id": str(service.id),
        "kind": service.kind,
        "family": service.family,
        "name": service.name,
        "status": service.status,
        "paid_by": service.paid_by,
        **more,
    }
    if operation is not None:
        payload |= {
            "operation_id": str(operation.id),
            "action": operation.action,
            "outcome": operation.status,
        }
        payload |= {"error": operation.error} if operation.error else {}
    kind = "failed" if operation is not None and operation.status in ("failed", "undone") else service.status
    emit(
        f"service.{'created' if kind == 'pending' else kind}",
        subject=f"service:{service.id}",
        payload=payload,
    )


def announce_change(service: Service) -> None:
    """Emit `service.changed`: its title or settings are others now, its status is not."""
    emit(
        "service.changed",
        subject=f"service:{service.id}",
        payload={"service_id": str(service.id), "kind": service.kind, "name": service.name},
    )
