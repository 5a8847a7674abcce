"""What is done to a service that exists, and to its operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select

from chom_core.database import clock, session
from chom_core.plugin_host import hooks, said
from chom_core.provisioning import kinds, lifecycle, reads
from chom_core.provisioning.funding import ends
from chom_core.provisioning.models import OPEN, Operation
from chom_core.provisioning.service.base import (
    admitted,
    kind_of,
    locked,
    operation_row,
    queue,
    tenant,
    title_of,
)
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.values.provisioning import (
    Consequence,
    DeleteQuery,
    OperationInfo,
    ServiceInfo,
    ServiceOrder,
)


def start_service(service_id: UUID) -> OperationInfo:
    return act(service_id, "start")


def stop_service(service_id: UUID) -> OperationInfo:
    return act(service_id, "stop")


def restart_service(service_id: UUID) -> OperationInfo:
    return act(service_id, "restart")


def act(service_id: UUID, action: str, settings: Mapping[str, Any] | None = None) -> OperationInfo:
    """Queue one of the kind's actions. Conflict where the service's status does not allow it."""
    service = locked(service_id)
    offered = {item.name: item for item in kinds.actions(service.kind)}
    if action not in offered:
        raise NotFound(_("This service has no action «%(action)s».", action=action))
    if service.status not in offered[action].when:
        raise Conflict(
            _("%(name)s is %(status)s; «%(action)s» is not possible then.", name=service.name,
              status=service.status, action=str(offered[action].title)),
            fix=_("Reload the page to see what is possible now."),
        )  # fmt: skip
    return queue(service, action, settings)


def delete_service(service_id: UUID, typed_name: str) -> OperationInfo:
    """Queue the deletion. `typed_name` must be the service's name, as proof that it is meant."""
    service = locked(service_id)
    if typed_name.strip() != service.name:
        raise Invalid(fields={"name": [_("Type %(name)s to delete it.", name=service.name)]})
    return queue(service, "delete")


def suspend_service(service_id: UUID, why: str) -> OperationInfo | None:
    """Stop a service for a reason (an unpaid bill). None where it is suspended, going or gone already."""
    service = locked(service_id)
    if service.status in ("suspended", "deleting", "deleted"):
        return None
    service.suspended_why = why[:200]
    return queue(service, "suspend")


def unsuspend_service(service_id: UUID) -> OperationInfo | None:
    """Take a suspension back. None where the service is not suspended. One that was stopped stays stopped."""
    service = locked(service_id)
    if service.status != "suspended":
        return None
    if service.rests_as in ("stopped", "failed", "pending"):
        service.status, service.rests_as, service.suspended_why = service.rests_as, "", ""
        lifecycle.announce(service, None)
        return None
    return queue(service, "unsuspend")


def pay_by(service_id: UUID, reference: str) -> None:
    """Somebody else pays from now on: `reference` is what the funding that was asked for it answered, or would."""
    locked(service_id).paid_by = reference
    session().flush()


def rename_service(service_id: UUID, title: str) -> ServiceInfo:
    """Change what people call it. Its name, and so its address, stays."""
    service = locked(service_id)
    service.title = title_of(title)
    session().flush()
    lifecycle.announce_change(service)
    return reads.service(service_id)


def retry_operation(operation_id: UUID) -> OperationInfo:
    """Do again what failed: a new operation of the same action. Funding of a creation is asked anew."""
    old = operation_row(operation_id)
    service = locked(old.service_id)
    if old.status not in ("failed", "undone", "cancelled") or service.status == "deleted":
        raise Conflict(_("Only what failed can be tried again."), fix=_("Reload the page."))
    newer = session().scalar(
        select(func.count()).where(Operation.service_id == service.id, Operation.id > old.id)
    )
    if newer:
        raise Conflict(_("Something newer was done to this service since."), fix=_("Look at its page."))
    if old.action == "create":
        order = ServiceOrder(
            tenant(), service.kind, kind_of(service.kind).family, service.name, service.settings
        )
        service.paid_by = admitted(order).reference
    return queue(service, old.action, old.settings)


def cancel_operation(operation_id: UUID) -> OperationInfo:
    """Cancel: at once where it has not begun, else at the next safe point; what was done is taken back."""
    old = operation_row(operation_id)
    service = locked(old.service_id)
    operation = session().scalar(
        select(Operation)
        .where(Operation.id == old.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    assert operation is not None
    if operation.status not in OPEN:
        raise Conflict(_("This has ended already."), fix=_("Reload the page."))
    if operation.action == "delete":
        raise Conflict(
            _("A deletion cannot be cancelled once ordered."), fix=_("Restore from a backup instead.")
        )
    operation.cancel_requested = True
    operation.seq += 1
    if operation.status == "queued":
        operation.status, operation.finished_at = "cancelled", clock.machine()
        operation.error = _("Cancelled.")
        lifecycle.settle_failure(
            session(), operation, service, cancelled=True, health=operation.before == "active"
        )
    session().flush()
    return reads.operation(operation.id)


def consequences(service: ServiceInfo) -> list[Consequence]:
    """What deleting `service` means, from the core, from billing and from every plugin."""
    own = [Consequence(_("The address %(url)s and everything on it.", url=service.url or service.name))]
    own += [Consequence(line, "billing") for line in ends(service)]
    query = DeleteQuery(service.tenant_id, service.id, service.kind, service.name)
    for answer in said(hooks.provisioning_before_delete(query)):
        own += answer
    return own
