"""Services: the list, ordering one, its page with tabs, its actions, its end."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from chom_core.database import current
from chom_core.plugin_host import NavItem, hooks, said
from chom_core.provisioning import funding, kinds, names, nodes, reads, service
from chom_core.provisioning.models import Service
from chom_core.provisioning.pages.parts import action_words, latest, may, offered, operation_view, tabs
from chom_core.provisioning.schemas import RenameSchema, order_schema
from chom_core.values.errors import ChomError, Invalid, NotFound
from chom_core.values.provisioning import ServiceInfo, ServiceKind
from chom_core.values.ui import ServiceListSlot
from chom_core.web import Pages, nav, render
from chom_core.web.export import csv_response
from chom_core.web.forms import Form
from chom_core.web.tables import Filter, ListPage, Sort, moment

services = Pages("services", "chom_core.provisioning", prefix="/services", access="viewer")
nav.add(NavItem(_l("Services"), "services.index", "server-2", section="Hosting", weight=10))

_STATUSES = (
    ("active", _l("Active")),
    ("stopped", _l("Stopped")),
    ("suspended", _l("Suspended")),
    ("building", _l("Building")),
    ("failed", _l("Failed")),
    ("deleted", _l("Deleted")),
)
LIST = ListPage(
    "services",
    sorts={
        "name": Sort(Service.name),
        "status": Sort(Service.status),
        "kind": Sort(Service.kind),
        "created": Sort(Service.created_at, moment),
    },
    default="name",
    filters=(
        Filter("q", _l("Search")),
        Filter("status", _l("Status"), _STATUSES),
        Filter("family", _l("Type"), (("site", _l("Sites")), ("server", _l("Servers")))),
    ),
)


@services.get("/")
def index() -> Response:
    view = LIST.read(request)
    wanted = {key: value for key, value in request.args.items() if value}
    statement = reads.rows(
        ids=_filtered(wanted),
        status=view.filters.get("status", ""),
        family=view.filters.get("family", ""),
        search=view.filters.get("q", ""),
    )
    if view.export:
        return _export(reads.fetch(view.ordered(statement, Service.id)))
    page = view.page(statement, Service.id, reads.fetch)
    ids = tuple(row.id for row in page.rows)
    columns = said(hooks.slot_service_list_column(_slot(ids, wanted)))
    html = render(
        "provisioning/services.html",
        view=view,
        page=page,
        wanted=wanted,
        ids=ids,
        columns=columns,
        prices=dict.fromkeys(ids, "–") | dict(funding.prices(page.rows)),
        none_yet=not page.rows and not view.active and not reads.count(),
        may_order=may("member"),
    )
    return view.remember(make_response(html))


def _slot(ids: tuple[UUID, ...], wanted: dict[str, str]) -> ServiceListSlot:
    tenant_id = current().tenant_id
    assert tenant_id is not None
    return ServiceListSlot(tenant_id, ids, wanted)


def _filtered(wanted: dict[str, str]) -> set[UUID] | None:
    """What the plugins' filters leave: every filter must let a service through."""
    left: set[UUID] | None = None
    for answer in said(hooks.filter_services(_slot((), wanted))):
        left = set(answer) if left is None else left & set(answer)
    return left


def _export(found: list[ServiceInfo]) -> Response:
    prices = funding.prices(found)
    header = [_("Name"), _("Title"), _("Kind"), _("Status"), _("Address"), _("Price"), _("Created")]
    rows = (
        (s.name, s.title, s.kind_title, s.status, s.url, prices.get(s.id, ""), s.created_at.isoformat())
        for s in found
    )
    return csv_response("services", header, rows)


@services.get("/new", access="member")
def new() -> str:
    buildable = nodes.buildable()
    found = [kind for kind in kinds.kinds().values() if kind.name in buildable]
    return render("provisioning/new.html", kinds=found)


@services.get("/new/check", access="member")
def check_name() -> str:
    """The live check of a name, as a fragment."""
    name = request.args.get("name", "").strip().lower()
    return render("provisioning/name_check.html", name=name, problem=names.check(name) if name else "")


@services.get("/new/<kind>", access="member")
def order(kind: str) -> str:
    return _order_page(_kind(kind), Form(order_schema(_kind(kind))))


@services.post("/new/<kind>", access="member")
def create(kind: str) -> Any:
    found = _kind(kind)
    form = Form(order_schema(found)).parse(request.form)
    if form.ok:
        values = {**form.values}
        name, title = values.pop("name"), values.pop("title", "")
        try:
            made = service.create_service(kind=kind, name=name, title=title, settings=values)
            return redirect(url_for("operations.show", operation_id=made.id), 303)
        except ChomError as error:
            form.refuse(error)
            return _order_page(found, form), max(error.status, 400)
    return _order_page(found, form), form.status


def _kind(name: str) -> ServiceKind:
    found = kinds.kind(name)
    if found is None:
        raise NotFound(_("There is no such kind of service."), fix=_("Choose one of the list."))
    return found


def _order_page(kind: ServiceKind, form: Form) -> str:
    return render(
        "provisioning/order.html",
        kind=kind,
        form=form,
        name=form["name"],
        words=service.order_words(kind.name),
    )


@services.get("/<uuid:service_id>")
def show(service_id: UUID) -> str:
    found = reads.service(service_id)
    newest = latest(service_id)
    watched = newest is not None and (not newest.final or found.status in ("failed", "pending"))
    view = operation_view(newest, found) if newest is not None and watched else None
    return render("provisioning/service.html", **_head(found, "overview"), shown=view)


def _head(found: ServiceInfo, here: str) -> dict[str, Any]:
    kind = kinds.kind(found.kind)
    links = [(link, found.facts.get(link.fact)) for link in kind.links] if kind else []
    return {
        "service": found,
        "kind": kind,
        "tabs_": tabs(found, here),
        "actions": offered(found),
        "links": [(link, url) for link, url in links if url and found.status == "active"],
        "price": funding.prices([found]).get(found.id, ""),
        "may_act": may("member"),
    }


@services.get("/<uuid:service_id>/operations")
def operations(service_id: UUID) -> str:
    found = reads.service(service_id)
    rows = reads.operations(service_id, limit=100)
    return render(
        "provisioning/service_operations.html",
        **_head(found, "operations"),
        rows=rows,
        words_of=lambda action: action_words(action, found.kind),
    )


@services.get("/<uuid:service_id>/settings")
def settings(service_id: UUID) -> str:
    found = reads.service(service_id)
    return render(
        "provisioning/service_settings.html", **_head(found, "settings"), form=Form(RenameSchema(), found)
    )


@services.post("/<uuid:service_id>/settings", access="member")
def rename(service_id: UUID) -> Any:
    found = reads.service(service_id)
    form = Form(RenameSchema(), found).parse(request.form)
    if form.ok:
        service.rename_service(service_id, form.values.get("title", ""))
        flash(_("Saved."), "success")
        return redirect(url_for("services.settings", service_id=service_id), 303)
    return render("provisioning/service_settings.html", **_head(found, "settings"), form=form), form.status


@services.post("/<uuid:service_id>/actions/<action>", access="member")
def act(service_id: UUID, action: str) -> Any:
    found = reads.service(service_id)
    if any(item.name == action and not may(item.who) for item in kinds.actions(found.kind)):
        raise NotFound(_("There is no such action for you."))
    made = service.act(service_id, action)
    return redirect(url_for("operations.show", operation_id=made.id), 303)


@services.get("/<uuid:service_id>/delete", access="admin")
def delete(service_id: UUID) -> str:
    return _delete_page(reads.service(service_id))


@services.post("/<uuid:service_id>/delete", access="admin")
def delete_now(service_id: UUID) -> Any:
    found = reads.service(service_id)
    try:
        made = service.delete_service(service_id, request.form.get("confirm_name", ""))
    except Invalid as error:
        return _delete_page(found, error.fields["name"][0]), error.status
    return redirect(url_for("operations.show", operation_id=made.id), 303)


def _delete_page(found: ServiceInfo, error: str = "") -> str:
    told = service.consequences(found)

    def of(sort: str) -> list[str]:
        return [str(line.text) for line in told if line.sort == sort]

    danger = {
        "title": _("Delete %(name)s", name=found.title),
        "name": found.name,
        "sentence": _("This cannot be taken back."),
        "loses": of("goes"),
        "depends": of("depends"),
        "stops_billing": of("billing"),
        "kept": of("stays"),
        "verb": _("Delete for good"),
    }
    return render(
        "provisioning/delete.html",
        **_head(found, "danger"),
        danger=danger,
        action=url_for("services.delete_now", service_id=found.id),
        cancel_url=url_for("services.show", service_id=found.id),
        error=error,
    )
