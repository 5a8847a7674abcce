"""The organisation's activity: who did what, to filter and to take away as CSV."""

from __future__ import annotations

from typing import Any

from flask import make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select
from werkzeug.wrappers import Response

from chom_core.audit.labels import action_label, actor_label, differences
from chom_core.audit.models import AuditEntry
from chom_core.audit.service import search
from chom_core.database import session
from chom_core.plugin_host import NavItem
from chom_core.web import Pages, nav
from chom_core.web.export import csv_response
from chom_core.web.tables import Filter, ListPage, Sort, View, moment

pages = Pages("audit", "chom_core.audit", access="admin")
nav.add(NavItem("Activity", "audit.activity", "history", access="admin", weight=95))
#: Rows in one export: more is for the API.
MOST = 50_000

TOPICS = (
    ("member", _l("People")),
    ("invitation", _l("Invitations")),
    ("api_key", _l("API keys")),
    ("organisation", _l("Organisation")),
    ("plugin", _l("Features")),
    ("service", _l("Services")),
    ("subscription", _l("Subscription")),
    ("invoice", _l("Invoices")),
    ("person", _l("Accounts")),
)
ACTIVITY = ListPage(
    "activity",
    sorts={"at": Sort(AuditEntry.at, moment)},
    default="-at",
    filters=(Filter("action", _l("Topic"), TOPICS), Filter("q", _l("Person, thing or reason"))),
)


@pages.get("/organisation/activity")
def activity() -> Response:
    """The log of the current organisation (for staff in the root organisation: of the platform)."""
    view = ACTIVITY.read(request)
    query = search(action=view.filters.get("action", ""), text=view.filters.get("q", ""))
    if view.export:
        return _export(view, query)
    page = view.page(query, AuditEntry.id, lambda s: session().scalars(s).all())
    rows = [
        {"entry": e, "action": action_label(e.action), "actor": actor_label(e), "changes": differences(e)}
        for e in page.rows
    ]
    html = render_template("audit/activity.html", view=view, page=page, rows=rows)
    return view.remember(make_response(html))


def _export(view: View, query: Select[Any]) -> Response:
    statement = view.ordered(query, AuditEntry.id).limit(MOST)
    found = session().scalars(statement.execution_options(yield_per=500))
    head = [
        _("Time (UTC)"),
        _("Action"),
        _("Who"),
        _("Kind"),
        _("On"),
        _("Id"),
        _("Changes"),
        _("Reason"),
        _("Address"),
    ]
    rows = (
        (
            e.at.strftime("%Y-%m-%d %H:%M:%S"),
            e.action,
            e.actor_name,
            e.actor_kind,
            e.subject_label,
            e.subject_id,
            "; ".join(differences(e)),
            e.reason,
            e.ip,
        )
        for e in found
    )
    return csv_response("activity", head, rows)
