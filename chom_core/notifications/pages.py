"""The bell, the inbox and the preferences."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, flash, g, has_request_context, redirect, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Response as BaseResponse

from chom_core.database import session
from chom_core.database.unit import current_or_none
from chom_core.notifications import mail_pages, service
from chom_core.notifications.models import Notification
from chom_core.notifications.phrases import say
from chom_core.values.errors import ChomError, Invalid, NotFound
from chom_core.values.ids import parse_uuid
from chom_core.values.notifications import Category
from chom_core.web import Pages, render
from chom_core.web.tables import Filter, ListPage, Sort, moment

pages = Pages("notifications", __name__)
staff_mail = mail_pages.staff_mail
demo_mail = mail_pages.demo_mail

CATEGORIES = (
    (Category.BILLING, _l("Billing")),
    (Category.SUPPORT, _l("Support")),
    (Category.SYSTEM, _l("System")),
    (Category.SERVICES, _l("Services")),
)
LIST = ListPage(
    "notifications",
    {"at": Sort(Notification.created_at, moment)},
    "-at",
    (
        Filter("category", _l("Category"), CATEGORIES),
        Filter("unread", _l("Read and unread"), (("1", _l("Unread")),)),
    ),
    size=25,
)


def _count() -> int:
    """The number on the bell: one indexed count, asked only by a page that shows a bell, and once."""
    if "unread" not in g:
        try:
            g.unread = service.unread_count()
        except (SQLAlchemyError, ChomError, RuntimeError):
            return 0
    return int(g.unread)


@pages.app_context_processor
def bell_context() -> dict[str, Any]:
    """`unread`, `bell_url` and `bell_fragment` for the frame of every page."""
    unit = current_or_none()
    if not has_request_context() or unit is None or unit.principal.kind != "person" or unit.tenant_id is None:
        return {"unread": 0, "bell_url": "/notifications"}
    return {
        "unread": LocalProxy(_count),
        "bell_url": "/notifications",
        "bell_fragment": "/notifications/bell",
    }


@pages.get("/notifications", access="viewer")
def inbox() -> Response | BaseResponse:
    """Everything the person was told in this organisation."""
    view = LIST.read(request)
    query = service.inbox(category=view.filters.get("category", ""), unread=bool(view.filters.get("unread")))
    page = view.page(query, Notification.id, lambda statement: session().scalars(statement).all())
    html = render(
        "notifications/inbox.html", view=view, page=page, categories=dict(CATEGORIES), total=_count()
    )
    return view.remember(Response(html))


@pages.post("/notifications/mark", access="viewer")
def mark() -> BaseResponse:
    """Mark the ticked ones read or unread; or all of them."""
    action = request.form.get("action", "")
    ids = [found for text in request.form.getlist("id") if (found := parse_uuid(text))]
    if action == "all":
        done = service.mark_all_read(request.form.get("category", ""))
    elif action in ("read", "unread"):
        done = service.mark_read(ids) if action == "read" else service.mark_unread(ids)
    else:
        raise Invalid(_("Choose what to do with them: read, unread or all."))
    flash(ngettext("%(num)d message changed.", "%(num)d messages changed.", done), "success")
    return redirect("/notifications", 303)


@pages.post("/notifications/<uuid:note_id>/open", access="viewer")
def open_one(note_id: UUID) -> BaseResponse:
    """Mark one read and go where it points."""
    row = session().scalar(service.inbox().where(Notification.id == note_id))
    if row is None:
        raise NotFound(_("There is no such message in your inbox."))
    service.mark_read([note_id])
    return redirect(row.link or "/notifications", 303)


@pages.get("/notifications/bell", access="viewer")
def bell() -> Response | str:
    """The bell anew; 204 where the number is still what the page shows."""
    if request.args.get("n") == str(_count()):
        return Response(status=204)
    return render("notifications/bell.html")


@pages.get("/notifications/bell/list", access="viewer")
def bell_list() -> str:
    """What drops down from the bell."""
    return render("notifications/bell_list.html", notes=service.recent())


@pages.get("/me/notifications", access="person")
def preferences() -> str:
    """Which kinds of message reach the person by which way."""
    return _preferences()


def _preferences() -> str:
    columns, rows = service.grid(service.me())
    groups = [(label, [row for row in rows if row.type.category == name]) for name, label in CATEGORIES]
    locale = g.person.locale if g.get("person") else "en"
    found = {"columns": columns, "groups": [group for group in groups if group[1]]}
    return render("notifications/preferences.html", **found, say=lambda text: say(text, locale))


@pages.post("/me/notifications", access="person")
def preferences_save() -> BaseResponse:
    """Save the grid. A box that was on the page and is not ticked is off; others stay as they are."""
    ticked = set(request.form.getlist("on"))
    boxes = {}
    for text in request.form.getlist("shown"):
        kind, _sign, channel = text.partition("/")
        boxes[kind, channel] = text in ticked
    service.choose(service.me(), boxes)
    flash(_("Saved."), "success")
    return redirect("/me/notifications", 303)


__all__ = ["demo_mail", "pages", "staff_mail"]
