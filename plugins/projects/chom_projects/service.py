"""The verbs: the only code that writes the plugin's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from chom_sdk import Conflict, Money, NotFound, billing, clock, organisation_id, provisioning, session, uuid7
from chom_sdk.audit import Subject, record
from chom_sdk.billing import ServiceCost
from chom_sdk.provisioning import ServiceInfo
from chom_sdk.work import emit

from .models import Project, ProjectService


@dataclass(frozen=True, slots=True)
class Bill:
    """What a project's services cost: a line for each, and a monthly total for each currency."""

    lines: list[tuple[ServiceInfo, ServiceCost]]
    totals: list[Money]


def projects() -> list[Project]:
    """The organisation's projects by name."""
    return list(session().scalars(select(Project).order_by(func.lower(Project.name))))


def get(project_id: UUID) -> Project:
    """One project; NotFound where it is none of the organisation's."""
    found: Project | None = session().scalar(select(Project).where(Project.id == project_id))
    if found is None:
        raise NotFound(
            _("There is no such project."), fix=_("It may have been deleted; see the list of projects.")
        )
    return found


def create(values: Mapping[str, Any]) -> Project:
    """A new project. Conflict where the name is taken."""
    _name_is_free(values["name"], None)
    made = Project(tenant_id=organisation_id(), **values)
    session().add(made)
    session().flush()
    record("projects.created", _subject(made), after=dict(values))
    emit("projects.created", subject=f"project:{made.id}", payload={"project_id": str(made.id)})
    return made


def change(project_id: UUID, values: Mapping[str, Any]) -> Project:
    """Change what `values` names."""
    project = get(project_id)
    if "name" in values:
        _name_is_free(values["name"], project_id)
    before = {name: getattr(project, name) for name in values}
    for name, value in values.items():
        setattr(project, name, value)
    session().flush()
    record("projects.changed", _subject(project), before=before, after=dict(values))
    return project


def remove(project_id: UUID) -> None:
    """Delete the project; its services stay, in no project."""
    project = get(project_id)
    record("projects.deleted", _subject(project))
    emit("projects.deleted", subject=f"project:{project.id}", payload={"project_id": str(project.id)})
    session().execute(delete(ProjectService).where(ProjectService.project_id == project_id))
    session().execute(delete(Project).where(Project.id == project_id))


def put_service(project_id: UUID, service_id: UUID) -> None:
    """Put a service into the project, out of the one it was in."""
    project, service = get(project_id), provisioning.get_service(service_id)
    values = {"project_id": project.id}
    row = insert(ProjectService).values(
        id=uuid7(), tenant_id=organisation_id(), service_id=service.id, created_at=clock.now(), **values
    )
    session().execute(row.on_conflict_do_update(index_elements=["tenant_id", "service_id"], set_=values))
    record("projects.service_added", _subject(project), after={"service": service.name})


def take_out(service_id: UUID) -> None:
    """The service is in no project any more."""
    session().execute(delete(ProjectService).where(ProjectService.service_id == service_id))


def members(project_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """The services of each of these projects, by project."""
    wanted = list(project_ids)
    found: dict[UUID, list[UUID]] = {project_id: [] for project_id in wanted}
    rows = select(ProjectService.project_id, ProjectService.service_id)
    for project_id, service_id in session().execute(rows.where(ProjectService.project_id.in_(wanted))):
        found[project_id].append(service_id)
    return found


def projects_of(service_ids: Iterable[UUID]) -> dict[UUID, Project]:
    """The project of each of these services that is in one."""
    rows = select(ProjectService.service_id, Project).join(Project, Project.id == ProjectService.project_id)
    found = session().execute(rows.where(ProjectService.service_id.in_(list(service_ids)))).all()
    return dict(found)


def bills(project_ids: Iterable[UUID]) -> dict[UUID, Bill]:
    """The bill of each project, with one look at services and one at prices however many there are."""
    by_project = members(project_ids)
    every = [service_id for ids in by_project.values() for service_id in ids]
    known = {service.id: service for service in provisioning.services(ids=every)} if every else {}
    costs = {cost.service_id: cost for cost in billing.service_costs(list(known.values()))}
    return {
        project_id: _bill([(known[i], costs[i]) for i in ids if i in known])
        for project_id, ids in by_project.items()
    }


def _bill(lines: list[tuple[ServiceInfo, ServiceCost]]) -> Bill:
    totals: dict[str, Money] = {}
    for _service, cost in lines:
        if cost.monthly is not None:
            zero = Money.zero(cost.monthly.currency)
            totals[cost.monthly.currency] = totals.get(cost.monthly.currency, zero) + cost.monthly
    return Bill(sorted(lines, key=lambda line: line[0].name), [totals[code] for code in sorted(totals)])


def _name_is_free(name: str, mine: UUID | None) -> None:
    taken = session().scalar(select(Project.id).where(func.lower(Project.name) == name.lower()))
    if taken is not None and taken != mine:
        raise Conflict(
            _("You already have a project «%(name)s».", name=name), fix=_("Choose another name."),
            fields={"name": [_("This name is taken.")]},
        )  # fmt: skip


def _subject(project: Project) -> Subject:
    return Subject("project", project.id, project.name)
