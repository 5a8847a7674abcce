"""The operator's desk for this domain: nodes, the services of all organisations, drift."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from chom_core.database import Tenant, current, everyone, session
from chom_core.plugin_host import NavItem
from chom_core.provisioning import drift, kinds, nodes, reads, views
from chom_core.provisioning.jobs import SWEEP
from chom_core.provisioning.models import Node, Service
from chom_core.provisioning.schemas import NodeSchema
from chom_core.values.errors import ChomError
from chom_core.web import Pages, nav, render
from chom_core.web.forms import Form
from chom_core.web.tables import Filter, ListPage, Sort, moment
from chom_core.work import enqueue

staff = Pages("provisioning_staff", "chom_core.provisioning", prefix="/staff", access="staff", tenant="none")
for _label, _endpoint, _icon, _weight in (
    (_l("Services"), "all_services", "server-2", 20),
    (_l("Nodes"), "all_nodes", "server", 30),
    (_l("Drift"), "drift_list", "alert-triangle", 40),
):
    _item = NavItem(_label, f"provisioning_staff.{_endpoint}", _icon, "Staff", "staff", _weight)
    nav.add(_item)

LIST = ListPage(
    "staff_services",
    sorts={"name": Sort(Service.name), "created": Sort(Service.created_at, moment)},
    default="-created",
    filters=(
        Filter("q", _l("Search")),
        Filter("status", _l("Status"), tuple((s, s) for s in ("active", "failed", "suspended", "deleted"))),
    ),
)


@staff.get("/services")
def all_services() -> Any:
    view = LIST.read(request)
    with everyone("staff: list of services"):
        statement = reads.rows(status=view.filters.get("status", ""), search=view.filters.get("q", ""))
        page = view.page(statement, Service.id, reads.fetch)
        owners = {row.tenant_id for row in page.rows}
        query = select(Tenant.id, Tenant.name).where(Tenant.id.in_(owners))
        names = {row[0]: row[1] for row in session().execute(query)}
    return render("provisioning/staff_services.html", view=view, page=page, names=names)


@staff.get("/nodes")
def all_nodes() -> str:
    return render("provisioning/nodes.html", nodes=nodes.all_nodes(), may_edit=_admin())


@staff.get("/nodes/new", access="staff_admin")
def new_node() -> str:
    return render("provisioning/node_form.html", form=_form(), node=None)


@staff.post("/nodes/new", access="staff_admin")
def add_node() -> Any:
    form = _form().parse(request.form)
    if form.ok:
        try:
            node = nodes.add_node(**form.values)
        except ChomError as error:
            form.refuse(error)
        else:
            return redirect(url_for("provisioning_staff.show_node", node_id=node.id), 303)
    return render("provisioning/node_form.html", form=form, node=None), form.status


@staff.get("/nodes/<uuid:node_id>")
def show_node(node_id: UUID) -> str:
    node = nodes.get_node(node_id)
    form = _form(views.node_info(node), capacity=node.capacity)
    return render("provisioning/node_form.html", form=form, node=node, may_edit=_admin())


@staff.post("/nodes/<uuid:node_id>", access="staff_admin")
def edit_node(node_id: UUID) -> Any:
    node = nodes.get_node(node_id)
    form = _form(node).parse(request.form)
    if form.ok:
        changes = {name: form.values[name] for name in ("region", "address", "capacity")}
        nodes.edit_node(node_id, **changes)
        flash(_("Saved."), "success")
        return redirect(url_for("provisioning_staff.show_node", node_id=node_id), 303)
    return render("provisioning/node_form.html", form=form, node=node, may_edit=True), form.status


@staff.post("/nodes/<uuid:node_id>/status", access="staff_admin")
def set_status(node_id: UUID) -> Any:
    nodes.set_status(node_id, request.form.get("status", ""))
    return redirect(url_for("provisioning_staff.show_node", node_id=node_id), 303)


@staff.post("/nodes/<uuid:node_id>/remove", access="staff_admin")
def remove_node(node_id: UUID) -> Any:
    """Forget it, where nothing is on it."""
    gone = nodes.remove_node(node_id)
    flash(
        _("The node is gone.") if gone else _("It is offline: services of before are in the books."),
        "success",
    )
    return redirect(url_for("provisioning_staff.all_nodes"), 303)


@staff.get("/drift")
def drift_list() -> str:
    rows = drift.open_drift()
    query = select(Tenant.id, Tenant.name).where(Tenant.id.in_([row.owner_id for row, _node in rows]))
    names = {row[0]: row[1] for row in session().execute(query)}
    swept = session().scalars(select(Node).where(Node.status != "offline").order_by(Node.name)).all()
    return render("provisioning/drift.html", rows=rows, names=names, nodes=swept)


@staff.post("/drift/sweep")
def sweep_now() -> Any:
    enqueue(SWEEP, {})
    flash(_("The nodes are being looked at. Reload in a moment."), "info")
    return redirect(url_for("provisioning_staff.drift_list"), 303)


@staff.post("/drift/<uuid:drift_id>/settle")
def settle(drift_id: UUID) -> Any:
    drift.settle(drift_id, current().principal.name)
    return redirect(url_for("provisioning_staff.drift_list"), 303)


def _admin() -> bool:
    return current().principal.staff_role == "admin"


def _form(data: object = None, **more: Any) -> Form:
    held = {name: getattr(data, name) for name in ("name", "driver", "region", "address")} if data else {}
    if data is not None:
        held |= {"capacity": getattr(data, "capacity", None), **more}
    choices = [(name, str(bound.driver.title)) for name, bound in kinds.drivers().items()]
    return Form(NodeSchema(), held or None, choices={"driver": choices})
