"""Projects over the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from chom_sdk import ApiRoutes, asked_page, paginate

from . import service
from .models import Project
from .schemas import BillOut, ProjectIn, ProjectOut, ProjectPage

api = ApiRoutes("projects", __name__, prefix="/projects", access="viewer")


@api.get("/", scope="projects:read", out=ProjectPage)
def list_projects() -> dict[str, Any]:
    after, limit = asked_page()
    page = paginate(select(Project), Project.id, after=after, limit=limit)
    inside = service.members(project.id for project in page.items)
    return {"items": [_plain(project, inside[project.id]) for project in page.items], "next": page.next}


@api.post("/", access="member", scope="projects:write", into=ProjectIn, out=ProjectOut)
def create_project(values: dict[str, Any]) -> dict[str, Any]:
    return _plain(service.create(values), [])


@api.get("/<uuid:project_id>", scope="projects:read", out=ProjectOut)
def read_project(project_id: UUID) -> dict[str, Any]:
    return _with_services(service.get(project_id))


@api.put("/<uuid:project_id>", access="member", scope="projects:write", into=ProjectIn, out=ProjectOut)
def change_project(values: dict[str, Any], project_id: UUID) -> dict[str, Any]:
    return _with_services(service.change(project_id, values))


@api.delete("/<uuid:project_id>", access="member", scope="projects:write")
def delete_project(project_id: UUID) -> None:
    service.remove(project_id)


@api.get("/<uuid:project_id>/bill", scope="projects:read", out=BillOut)
def read_bill(project_id: UUID) -> dict[str, Any]:
    project = service.get(project_id)
    return {"project_id": project.id, "totals": service.bills([project.id])[project.id].totals}


@api.put("/<uuid:project_id>/services/<uuid:service_id>", access="member", scope="projects:write", status=204)
def put_in(project_id: UUID, service_id: UUID) -> None:
    service.put_service(project_id, service_id)


@api.delete("/<uuid:project_id>/services/<uuid:service_id>", access="member", scope="projects:write")
def take_out(project_id: UUID, service_id: UUID) -> None:
    service.get(project_id)
    service.take_out(service_id)


def _with_services(project: Project) -> dict[str, Any]:
    return _plain(project, service.members([project.id])[project.id])


def _plain(project: Project, services: list[UUID]) -> dict[str, Any]:
    names = ("id", "name", "description", "colour", "icon", "tags", "notes", "created_at")
    return {name: getattr(project, name) for name in names} | {"services": services}
