"""Reading services and operations of the current organisation, as frozen values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import ColumnElement, Select, func, or_, select

from chom_core.database import current, session
from chom_core.plugin_host import hooks, said
from chom_core.provisioning import views
from chom_core.provisioning.models import OPEN, Node, Operation, OperationLine, OperationStep, Service
from chom_core.values.errors import NotFound
from chom_core.values.provisioning import GroupQuery, OperationInfo, ServiceGroup, ServiceInfo

#: Of the columns that `views.service_info` takes; the page kit takes statements of any width.
Rows = Select[Any]
# Columns instead of entities, and built once: a list of 50 costs half of what three entities a row did.
_ROWS: Rows = cast(
    "Rows",
    select(
        Service.id,
        Service.tenant_id,
        Service.kind,
        Service.family,
        Service.name,
        Service.title,
        Service.status,
        Node.name,
        Node.region,
        Service.paid_by,
        Service.settings,
        Service.facts,
        Service.created_at,
        Operation.id,
    )
    .join(Node, Node.id == Service.node_id)
    .outerjoin(Operation, (Operation.service_id == Service.id) & Operation.status.in_(OPEN)),
)


def rows(
    *,
    ids: Collection[UUID] | None = None,
    status: str = "",
    kind: str = "",
    family: str = "",
    search: str = "",
    deleted: bool = False,
) -> Rows:
    """The statement behind every list: services with their node and their open operation, if any (at most one).

    Pages put their own order and page on it, and read it with `fetch`. `search` looks in name and title.
    """
    return _ROWS.where(*_matching(ids, status, kind, family, search, deleted))


def fetch(statement: Rows) -> list[ServiceInfo]:
    """The services of a statement made by `rows`."""
    return [views.service_info(*row) for row in _columns(statement)]


def _columns(statement: Rows) -> Iterable[Sequence[Any]]:
    return session().execute(statement)


def services(
    *,
    ids: Collection[UUID] | None = None,
    status: str = "",
    kind: str = "",
    family: str = "",
    search: str = "",
    after: UUID | None = None,
    limit: int | None = None,
    deleted: bool = False,
) -> list[ServiceInfo]:
    """The organisation's services, newest first. `after` is the id of the last one seen."""
    statement = rows(ids=ids, status=status, kind=kind, family=family, search=search, deleted=deleted)
    if after is not None:
        statement = statement.where(Service.id < after)
    return fetch(statement.order_by(Service.id.desc()).limit(limit))


def _matching(
    ids: Collection[UUID] | None, status: str, kind: str, family: str, search: str, deleted: bool
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if ids is not None:
        found.append(Service.id.in_(ids))
    if status:
        found.append(Service.status == status)
    elif not deleted:
        found.append(Service.status != "deleted")
    if kind:
        found.append(Service.kind == kind)
    if family:
        found.append(Service.family == family)
    if search:
        like = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        found.append(or_(Service.name.ilike(like), Service.title.ilike(like)))
    return found


def service(service_id: UUID) -> ServiceInfo:
    """One service of the organisation; NotFound where it is none of its own."""
    found = fetch(rows(deleted=True).where(Service.id == service_id))
    if not found:
        raise NotFound(_("There is no such service."))
    return found[0]


def count(family: str = "") -> int:
    """How many services the organisation has that are not deleted; of one family where it is named."""
    query = select(func.count(Service.id)).where(*_matching(None, "", "", family, "", False))
    return session().scalar(query) or 0


def groups() -> list[ServiceGroup]:
    """The organisation's groups of services, as plugins keep them (projects); empty where none does."""
    tenant_id = current().tenant_id
    if tenant_id is None:
        return []
    return [one for found in said(hooks.provisioning_groups(GroupQuery(tenant_id))) for one in found]


def operation(operation_id: UUID) -> OperationInfo:
    """One operation with its steps; NotFound where it is none of the organisation's."""
    row = session().get(Operation, operation_id, populate_existing=True)
    if row is None:
        raise NotFound(_("There is no such operation."))
    query = select(OperationStep).where(OperationStep.operation_id == row.id).order_by(OperationStep.position)
    return views.operation_info(row, session().scalars(query).all())


def operations(
    service_id: UUID | None = None, *, after: UUID | None = None, limit: int = 50
) -> list[OperationInfo]:
    """The latest operations, newest first, without their steps. `after` is the id of the last one seen."""
    query = select(Operation).order_by(Operation.id.desc()).limit(limit)
    if after is not None:
        query = query.where(Operation.id < after)
    if service_id is not None:
        query = query.where(Operation.service_id == service_id)
    return [views.operation_info(row) for row in session().scalars(query)]


class Line(Struct, frozen=True):
    """A line of an operation's log."""

    seq: int
    step: str
    text: str
    at: datetime


def lines(operation_id: UUID, *, after: int = 0, limit: int = 500) -> Sequence[Line]:
    """The operation's log after `after`, oldest first; where there are more than `limit`, the latest ones."""
    query = (
        select(OperationLine.seq, OperationLine.step, OperationLine.text, OperationLine.at)
        .where(OperationLine.operation_id == operation_id, OperationLine.seq > after)
        .order_by(OperationLine.seq.desc())
        .limit(limit)
    )
    return [Line(*row) for row in reversed(session().execute(query).all())]
