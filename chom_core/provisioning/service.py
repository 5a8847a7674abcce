"""The verbs: all that a customer, an API key, staff or another domain can do to services and operations.

Every verb works in the caller's unit of work and organisation: what it wrote and the job that does the work exist
together or not at all.
"""

from __future__ import annotations

import json
import secrets as random
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from marshmallow import ValidationError
from sqlalchemy import func, select

from chom_core.database import clock, current, session
from chom_core.plugin_host import hooks
from chom_core.provisioning import kinds, lifecycle, names, nodes, reads
from chom_core.provisioning.funding import ends, funding
from chom_core.provisioning.models import OPEN, Operation, Service
from chom_core.values.errors import Conflict, Invalid, NotFound, PaymentRequired, Refused
from chom_core.values.ids import uuid7
from chom_core.values.provisioning import (
    Consequence,
    DeleteQuery,
    Funding,
    OperationInfo,
    ServiceInfo,
    ServiceKind,
    ServiceOrder,
)
from chom_core.work import enqueue

DRIVE = "provisioning.operation"


def create_service(
    *, kind: str, name: str, title: str = "", settings: Mapping[str, Any] | None = None
) -> OperationInfo:
    """Order a service and queue its building. Returns the operation; its `service_id` is the new service.

    Raises Invalid (fields), Refused (an order check said no), PaymentRequired (nobody pays), Unavailable (no room).
    Nothing is written then.
    """
    found = _kind(kind)
    plain, hidden = _validated(found, settings or {})
    name = name.strip().lower()
    words = names.problem(name)
    if words:
        raise Invalid(fields={"name": [words]})
    order = ServiceOrder(_tenant(), kind, found.family, name, plain)
    paid = _admitted(order)
    service_id = uuid7()
    names.claim(name, service_id)
    service = Service(
        id=service_id,
        tenant_id=_tenant(),
        kind=kind,
        family=found.family,
        name=name,
        title=_title(title),
        status="pending",
        node_id=nodes.place(kind).id,
        marker=random.token_hex(16),
        settings=plain,
        facts={},
        secrets=json.dumps(hidden) if hidden else None,
        paid_by=paid.reference,
    )
    session().add(service)
    session().flush()
    lifecycle.announce(service, None)
    return _queue(service, "create")


def order_words(kind: str, name: str = "", settings: Mapping[str, Any] | None = None) -> Funding:
    """What an order would cost and whether it may be placed, for the order page. Writes nothing."""
    found = _kind(kind)
    return funding(ServiceOrder(_tenant(), kind, found.family, name, dict(settings or {})))


def start_service(service_id: UUID) -> OperationInfo:
    return act(service_id, "start")


def stop_service(service_id: UUID) -> OperationInfo:
    return act(service_id, "stop")


def restart_service(service_id: UUID) -> OperationInfo:
    return act(service_id, "restart")


def act(service_id: UUID, action: str, settings: Mapping[str, Any] | None = None) -> OperationInfo:
    """Queue one of the kind's actions. Conflict where the service's status does not allow it."""
    service = _locked(service_id)
    offered = {item.name: item for item in kinds.actions(service.kind)}
    if action not in offered:
        raise NotFound(_("This service has no action «%(action)s».", action=action))
    if service.status not in offered[action].when:
        raise Conflict(
            _("%(name)s is %(status)s; «%(action)s» is not possible then.", name=service.name,
              status=service.status, action=str(offered[action].title)),
            fix=_("Reload the page to see what is possible now."),
        )  # fmt: skip
    return _queue(service, action, settings)


def delete_service(service_id: UUID, typed_name: str) -> OperationInfo:
    """Queue the deletion. `typed_name` must be the service's name, as proof that it is meant."""
    service = _locked(service_id)
    if typed_name.strip() != service.name:
        raise Invalid(fields={"name": [_("Type %(name)s to delete it.", name=service.name)]})
    return _queue(service, "delete")


def suspend_service(service_id: UUID, why: str) -> OperationInfo | None:
    """Stop a service for a reason (an unpaid bill). None where it is suspended, going or gone already."""
    service = _locked(service_id)
    if service.status in ("suspended", "deleting", "deleted"):
        return None
    service.suspended_why = why[:200]
    return _queue(service, "suspend")


def unsuspend_service(service_id: UUID) -> OperationInfo | None:
    """Take a suspension back. None where the service is not suspended. One that was stopped stays stopped."""
    service = _locked(service_id)
    if service.status != "suspended":
        return None
    if service.rests_as in ("stopped", "failed", "pending"):
        service.status, service.rests_as, service.suspended_why = service.rests_as, "", ""
        lifecycle.announce(service, None)
        return None
    return _queue(service, "unsuspend")


def rename_service(service_id: UUID, title: str) -> ServiceInfo:
    """Change what people call it. Its name, and so its address, stays."""
    service = _locked(service_id)
    service.title = _title(title)
    session().flush()
    lifecycle.announce_change(service)
    return reads.service(service_id)


def retry_operation(operation_id: UUID) -> OperationInfo:
    """Do again what failed: a new operation of the same action. Funding of a creation is asked anew."""
    old = _operation(operation_id)
    service = _locked(old.service_id)
    if old.status not in ("failed", "undone", "cancelled") or service.status == "deleted":
        raise Conflict(_("Only what failed can be tried again."), fix=_("Reload the page."))
    newer = session().scalar(
        select(func.count()).where(Operation.service_id == service.id, Operation.id > old.id)
    )
    if newer:
        raise Conflict(_("Something newer was done to this service since."), fix=_("Look at its page."))
    if old.action == "create":
        order = ServiceOrder(
            _tenant(), service.kind, _kind(service.kind).family, service.name, service.settings
        )
        service.paid_by = _admitted(order).reference
    return _queue(service, old.action, old.settings)


def cancel_operation(operation_id: UUID) -> OperationInfo:
    """Cancel: at once where it has not begun, else at the next safe point; what was done is taken back."""
    old = _operation(operation_id)
    service = _locked(old.service_id)
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
    for answer in hooks.provisioning_before_delete.values(query):
        own += answer
    return own


def _tenant() -> UUID:
    tenant_id = current().tenant_id
    if tenant_id is None:
        raise RuntimeError("services belong to an organisation; this unit of work has none")
    return tenant_id


def _kind(name: str) -> ServiceKind:
    found = kinds.kind(name)
    if found is None:
        raise Invalid(fields={"kind": [_("There is no kind of service «%(name)s» here.", name=name)]})
    return found


def _title(title: str) -> str:
    title = " ".join(title.split())
    if len(title) > 120:
        raise Invalid(fields={"title": [_("At most %(count)s characters.", count=120)]})
    return title


def _validated(kind: ServiceKind, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The form's values as JSON, and its secret fields apart."""
    form = kinds.form_of(kind)
    if form is None:
        if settings:
            raise Invalid(fields={name: [_("Unknown field.")] for name in settings})
        return {}, {}
    try:
        valid = form.load(settings)
    except ValidationError as error:
        raise Invalid(fields=_messages(error)) from None
    dumped: dict[str, Any] = json.loads(form.dumps(valid))
    hidden = {name for name, item in form.fields.items() if item.metadata.get("secret")}
    return (
        {key: value for key, value in dumped.items() if key not in hidden},
        {key: str(value) for key, value in dumped.items() if key in hidden and value},
    )


def _messages(error: ValidationError) -> dict[str, list[str]]:
    found = error.normalized_messages()
    return {
        name: [str(m) for m in (told if isinstance(told, list) else [told])] for name, told in found.items()
    }


def _admitted(order: ServiceOrder) -> Funding:
    """Ask every order check, then who pays. One order at a time per organisation, so that limits hold."""
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"provisioning:{order.tenant_id}", 0))
    session().execute(select(lock))
    for refusal in hooks.provisioning_order_check.values(order):
        raise Refused(str(refusal.detail), fix=str(refusal.fix))
    paid = funding(order)
    if not paid.allowed:
        raise PaymentRequired(paid.words, fix=paid.fix)
    return paid


def _locked(service_id: UUID) -> Service:
    query = select(Service).where(Service.id == service_id).with_for_update()
    service = session().scalar(query.execution_options(populate_existing=True))
    if service is None:
        raise NotFound(_("There is no such service."))
    return service


def _operation(operation_id: UUID) -> Operation:
    operation = session().get(Operation, operation_id)
    if operation is None:
        raise NotFound(_("There is no such operation."))
    return operation


def _queue(service: Service, action: str, settings: Mapping[str, Any] | None = None) -> OperationInfo:
    """One operation more, and the job that drives it. The service's row is locked by the caller."""
    if service.status == "deleted":
        raise Conflict(_("%(name)s is deleted.", name=service.name))
    busy = session().scalar(
        select(Operation.action).where(Operation.service_id == service.id, Operation.status.in_(OPEN))
    )
    if busy is not None:
        raise Conflict(
            _("«%(action)s» is still running for %(name)s.", action=busy, name=service.name),
            fix=_("Wait until it has ended, or cancel it."),
        )
    unit = current()
    operation = Operation(
        tenant_id=service.tenant_id,
        service_id=service.id,
        action=action,
        settings=dict(settings or {}),
        requested_by=unit.principal.name or "CHOM",
        requested_by_id=unit.principal.person_id,
        before=service.status,
    )
    session().add(operation)
    session().flush()
    enqueue(DRIVE, {"operation_id": str(operation.id)}, key=f"operation:{operation.id}")
    return reads.operation(operation.id)
