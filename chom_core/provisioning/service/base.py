"""What the verbs share: whose the order is, is it valid, who pays, and one operation more in the queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from marshmallow import ValidationError
from sqlalchemy import func, select

from chom_core.audit.service import Subject, record
from chom_core.database import current, session
from chom_core.plugin_host import hooks, said
from chom_core.provisioning import kinds, reads
from chom_core.provisioning.funding import funding
from chom_core.provisioning.models import OPEN, Operation, Service
from chom_core.values.errors import Conflict, Invalid, NotFound, PaymentRequired, Refused
from chom_core.values.provisioning import Funding, OperationInfo, ServiceKind, ServiceOrder
from chom_core.work import enqueue

#: The kind of job that drives an operation.
DRIVE = "provisioning.operation"


def tenant() -> UUID:
    tenant_id = current().tenant_id
    if tenant_id is None:
        raise RuntimeError("services belong to an organisation; this unit of work has none")
    return tenant_id


def kind_of(name: str) -> ServiceKind:
    found = kinds.kind(name)
    if found is None:
        raise Invalid(fields={"kind": [_("There is no kind of service «%(name)s» here.", name=name)]})
    return found


def title_of(title: str) -> str:
    title = " ".join(title.split())
    if len(title) > 120:
        raise Invalid(fields={"title": [_("At most %(count)s characters.", count=120)]})
    return title


def validated(kind: ServiceKind, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
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


def admitted(order: ServiceOrder) -> Funding:
    """Ask every order check, then who pays. One order at a time per organisation, so that limits hold."""
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"provisioning:{order.tenant_id}", 0))
    session().execute(select(lock))
    for refusal in said(hooks.provisioning_order_check(order)):
        raise Refused(str(refusal.detail), fix=str(refusal.fix))
    paid = funding(order)
    if not paid.allowed:
        raise PaymentRequired(paid.words, fix=paid.fix)
    return paid


def locked(service_id: UUID) -> Service:
    query = select(Service).where(Service.id == service_id).with_for_update()
    service = session().scalar(query.execution_options(populate_existing=True))
    if service is None:
        raise NotFound(_("There is no such service."))
    return service


def operation_row(operation_id: UUID) -> Operation:
    operation = session().get(Operation, operation_id)
    if operation is None:
        raise NotFound(_("There is no such operation."))
    return operation


def queue(service: Service, action: str, settings: Mapping[str, Any] | None = None) -> OperationInfo:
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
    record(f"service.{action}", Subject("service", service.id, service.name), after={"kind": service.kind})
    enqueue(DRIVE, {"operation_id": str(operation.id)}, key=f"operation:{operation.id}")
    return reads.operation(operation.id)
