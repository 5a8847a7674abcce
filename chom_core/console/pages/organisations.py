"""/staff/organisations: find one, and see its people, plan, services and features with the why of each."""

from __future__ import annotations

from uuid import UUID

from flask import make_response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from chom_core.console.pages.base import administers, staff
from chom_core.console.service import organisations as service
from chom_core.database import Tenant, session
from chom_core.web import render
from chom_core.web.export import csv_response
from chom_core.web.tables import Filter, ListPage, Sort, moment

KINDS = (("customer", _l("Customer")), ("reseller", _l("Reseller")), ("platform", _l("Platform")))
LIST = ListPage(
    "staff_organisations",
    sorts={"name": Sort(Tenant.name), "created": Sort(Tenant.created_at, moment)},
    default="-created",
    filters=(Filter("q", _l("Name or a person's e-mail")), Filter("kind", _l("Kind"), KINDS)),
)


@staff.get("/organisations")
def organisations() -> Response:
    """The list, with the number of people and services of each."""
    view = LIST.read(request)
    query = service.search(view.filters.get("q", ""), view.filters.get("kind", ""))
    if view.export:
        found = session().scalars(view.ordered(query, Tenant.id).limit(50_000))
        head = [_("Name"), _("Kind"), _("Status"), _("Created"), _("Id")]
        return csv_response(
            "organisations", head, ((t.name, t.kind, t.status, t.created_at, t.id) for t in found)
        )
    page = view.page(query, Tenant.id, lambda statement: session().scalars(statement).all())
    html = render(
        "console/organisations.html",
        view=view,
        page=page,
        counts=service.counts([row.id for row in page.rows]),
        total=session().scalar(select(func.count()).select_from(query.subquery())),
        kinds=dict(KINDS),
    )
    return view.remember(make_response(html))


@staff.get("/organisations/<uuid:organisation_id>")
def organisation(organisation_id: UUID) -> str:
    """One organisation. Looking leaves a line in the log."""
    return render("console/organisation.html", look=service.look(organisation_id), may=administers())
