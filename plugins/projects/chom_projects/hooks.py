"""What projects add to other pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from flask_babel import gettext as _

from chom_sdk import hookimpl
from chom_sdk.provisioning import GroupQuery, ServiceGroup
from chom_sdk.ui import Column, PageSlot, Panel, ServiceListSlot, ServiceSlot

from . import service

NONE = "none"


@hookimpl
def slot_home(slot: PageSlot) -> Panel | None:
    """The projects with what each costs by the month."""
    found = service.projects()
    if not found:
        return None
    bills = service.bills(project.id for project in found)
    return Panel("projects/home_panel.html", {"projects": found[:6], "bills": bills, "more": len(found) - 6})


@hookimpl
def slot_service_list_top(slot: ServiceListSlot) -> Panel | None:
    """The filter by project and tag."""
    found = service.projects()
    if not found:
        return None
    tags = sorted({tag for project in found for tag in project.tags})
    context = {"projects": found, "tags": tags, "query": slot.query, "none": NONE}
    return Panel("projects/list_filter.html", context)


@hookimpl
def filter_services(slot: ServiceListSlot) -> Collection[UUID] | None:
    """The services of the chosen project, or of every project with the chosen tag."""
    chosen, tag = slot.query.get("project", ""), slot.query.get("tag", "")
    if not chosen and not tag:
        return None
    found = [p for p in service.projects() if chosen in ("", str(p.id)) and (not tag or tag in p.tags)]
    return {service_id for ids in service.members(p.id for p in found).values() for service_id in ids}


@hookimpl
def slot_service_list_column(slot: ServiceListSlot) -> Column | None:
    """The project of each service on the page."""
    found = service.projects_of(slot.service_ids)
    if not found:
        return None
    links = {service_id: f"/projects/{project.id}" for service_id, project in found.items()}
    return Column(_("Project"), {service_id: p.name for service_id, p in found.items()}, links)


@hookimpl
def slot_service_overview(slot: ServiceSlot) -> Panel | None:
    """Which project the service is in, and the choice of another."""
    found = service.projects()
    chosen = service.projects_of([slot.service_id]).get(slot.service_id)
    context = {"projects": found, "chosen": chosen, "service_id": slot.service_id}
    return Panel("projects/service_panel.html", context)


@hookimpl
def provisioning_groups(query: GroupQuery) -> Sequence[ServiceGroup] | None:
    """Projects are groups of services: a budget may be for one."""
    found = service.projects()
    inside = service.members(project.id for project in found)
    return [
        ServiceGroup(project.id, project.name, frozenset(inside[project.id]), f"/projects/{project.id}")
        for project in found
    ]
