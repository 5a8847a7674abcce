"""The pages of projects."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from chom_sdk import Conflict, NotFound, Pages, csv_response, provisioning, render, settings
from chom_sdk.ui import Form

from . import service
from .models import Project
from .schemas import ProjectIn

pages = Pages("projects", __name__, prefix="/projects", access="viewer")
Answer = str | tuple[str, int] | AnyResponse


@pages.get("/")
def index() -> str:
    found = service.projects()
    bills = service.bills(project.id for project in found)
    return render("projects/index.html", projects=found, bills=bills)


@pages.get("/new", access="member")
def new() -> str:
    colour = settings.read("projects")["default_colour"]
    return render("projects/form.html", form=Form(ProjectIn(), {"colour": colour}), project=None)


@pages.post("/new", access="member")
def create() -> Answer:
    return _save(None)


@pages.get("/<uuid:project_id>")
def detail(project_id: UUID) -> str:
    project = service.get(project_id)
    bill = service.bills([project.id])[project.id]
    inside = {info.id for info, _cost in bill.lines}
    others = [info for info in provisioning.services() if info.id not in inside]
    return render("projects/detail.html", project=project, bill=bill, others=others)


@pages.get("/<uuid:project_id>/bill.csv")
def bill_csv(project_id: UUID) -> Response:
    project = service.get(project_id)
    bill = service.bills([project.id])[project.id]
    rows = (
        (info.name, info.kind_title, cost.words, cost.monthly.major if cost.monthly else "",
         cost.monthly.currency if cost.monthly else "")
        for info, cost in bill.lines
    )  # fmt: skip
    header = (_("Service"), _("Kind"), _("Price"), _("A month"), _("Currency"))
    return csv_response(f"project-{project.name}", header, rows)


@pages.get("/<uuid:project_id>/edit", access="member")
def edit(project_id: UUID) -> str:
    project = service.get(project_id)
    return render("projects/form.html", form=Form(ProjectIn(), project), project=project)


@pages.post("/<uuid:project_id>/edit", access="member")
def change(project_id: UUID) -> Answer:
    return _save(service.get(project_id))


def _save(project: Project | None) -> Answer:
    form = Form(ProjectIn(), project).parse(request.form)
    if form.ok:
        try:
            saved = service.change(project.id, form.values) if project else service.create(form.values)
        except Conflict as error:
            form.refuse(error)
        else:
            flash(_("«%(name)s» is saved.", name=saved.name), "success")
            return redirect(url_for(".detail", project_id=saved.id), 303)
    return render("projects/form.html", form=form, project=project), form.status


@pages.get("/<uuid:project_id>/delete", access="member")
def confirm_delete(project_id: UUID) -> str:
    return _delete_page(service.get(project_id))


@pages.post("/<uuid:project_id>/delete", access="member")
def delete(project_id: UUID) -> Answer:
    project = service.get(project_id)
    if request.form.get("confirm_name", "").strip() != project.name:
        return _delete_page(project, _("This is not the project's name.")), 422
    service.remove(project_id)
    flash(_("«%(name)s» is deleted; its services stay.", name=project.name), "success")
    return redirect(url_for(".index"), 303)


def _delete_page(project: Project, error: str = "") -> str:
    count = len(service.members([project.id])[project.id])
    danger = {
        "title": _("Delete the project «%(name)s»?", name=project.name),
        "name": project.name,
        "loses": [_("The project, its notes and its tags")],
        "kept": [_("Its services (%(count)s): they are in no project then", count=count)],
        "verb": _("Delete the project"),
    }
    return render("projects/delete.html", project=project, danger=danger, error=error)


@pages.post("/<uuid:project_id>/services", access="member")
def add_service(project_id: UUID) -> AnyResponse:
    service.put_service(project_id, _service_id())
    return redirect(url_for(".detail", project_id=project_id), 303)


@pages.post("/<uuid:project_id>/services/remove", access="member")
def remove_service(project_id: UUID) -> AnyResponse:
    service.get(project_id)
    service.take_out(_service_id())
    return redirect(url_for(".detail", project_id=project_id), 303)


@pages.post("/of/<uuid:service_id>", access="member")
def choose(service_id: UUID) -> AnyResponse:
    """The project of one service, chosen on the service's page; an empty choice takes it out."""
    info = provisioning.get_service(service_id)
    chosen = request.form.get("project_id", "")
    if chosen:
        service.put_service(_uuid(chosen), info.id)
    else:
        service.take_out(info.id)
    flash(_("The project of %(name)s is set.", name=info.name), "success")
    return redirect(f"/services/{info.id}", 303)


def _service_id() -> UUID:
    return _uuid(request.form.get("service_id", ""))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(_("Choose one from the list.")) from None
