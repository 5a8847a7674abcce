"""The mail log for staff, and the demo's mail viewer, which shows the same list to everybody."""

from __future__ import annotations

from functools import cache
from uuid import UUID

from flask import Response, flash, g, redirect, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from msgspec import Struct
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import defer
from werkzeug.wrappers import Response as BaseResponse

from chom_core import config
from chom_core.audit import record
from chom_core.database import Tenant, session
from chom_core.notifications import service
from chom_core.notifications.models import MailMessage
from chom_core.notifications.service import outbox
from chom_core.plugin_host import NavItem
from chom_core.rest import principal
from chom_core.values.errors import Conflict, NotFound
from chom_core.values.principal import StaffRole
from chom_core.web import Pages, nav, render
from chom_core.web.tables import Filter, ListPage, Sort, moment

staff_mail = Pages("mail", __name__, prefix="/staff/mail", access="staff")
demo_mail = Pages("demo_mail", __name__, prefix="/demo/mail", access="public")
nav.add(NavItem(_l("Mail"), "mail.index", "mail", "Staff", "staff", 60))

STATES = (("queued", _l("Queued")), ("sent", _l("Sent")), ("failed", _l("Failed")))
#: A mail is somebody's HTML: no script, no form, no frame; pictures by https; links open in a new window.
POLICY = (
    "default-src 'none'; img-src https: data: 'self'; style-src 'unsafe-inline'; font-src 'none'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


@cache
def _listing(staff: bool) -> ListPage:
    return ListPage(
        f"mail_{'staff' if staff else 'demo'}",
        {"at": Sort(MailMessage.created_at, moment)},
        "-at",
        (Filter("status", _l("Status"), STATES), Filter("q", _l("Address or subject"))),
    )


class Desk(Struct, frozen=True):
    """One of the two places: its address, and whether it can do more than look."""

    prefix: str
    staff: bool

    @property
    def listing(self) -> ListPage:
        return _listing(self.staff)


STAFF, DEMO = Desk("/staff/mail", True), Desk("/demo/mail", False)


def _demo() -> None:
    if not config.settings().demo:
        raise NotFound(_("This page is there in the demo only."))


def hidden(mail: MailMessage) -> bool:
    """May the reader not see the body? A link in it lets somebody in, and support must not go through it."""
    return mail.sensitive and not config.settings().demo and principal().staff_role is not StaffRole.ADMIN


def _list(desk: Desk) -> Response:
    view = desk.listing.read(request)
    query: Select[MailMessage] = select(MailMessage).options(defer(MailMessage.html), defer(MailMessage.text))
    if view.filters.get("status"):
        query = query.where(MailMessage.status == view.filters["status"])
    if text := view.filters.get("q"):
        match = [column.icontains(text, autoescape=True) for column in (MailMessage.to, MailMessage.subject)]
        query = query.where(or_(*match))
    page = view.page(query, MailMessage.id, lambda statement: session().scalars(statement).all())
    tenants = {mail.tenant_id for mail in page.rows if mail.tenant_id}
    known = session().execute(select(Tenant.id, Tenant.name).where(Tenant.id.in_(tenants)))
    names = {row[0]: row[1] for row in known}
    html = render(
        "notifications/mails.html", view=view, page=page, names=names, desk=desk, own=_own_address()
    )
    return view.remember(Response(html))


def _own_address() -> str:
    return g.person.email if g.get("person") else ""


def _one(desk: Desk, mail_id: UUID) -> str:
    mail = outbox.find(mail_id)
    return render("notifications/mail.html", mail=mail, desk=desk, hidden=hidden(mail))


def _body(desk: Desk, mail_id: UUID) -> Response:
    mail = outbox.find(mail_id)
    if hidden(mail):
        raise NotFound(_("This mail holds a link that lets somebody in; its text is for staff admins only."))
    if mail.sensitive and desk.staff and not config.settings().demo:
        record(
            "mail.read",
            ("mail", mail.id, mail.subject),
            reason="a mail with a link was opened in the mail log",
        )
    response = Response(mail.html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@staff_mail.get("")
def index() -> Response:
    """Every mail, newest first, with what became of it."""
    return _list(STAFF)


@staff_mail.get("/<uuid:mail_id>")
def one(mail_id: UUID) -> str:
    """One mail: its way, and what it says."""
    return _one(STAFF, mail_id)


@staff_mail.get("/<uuid:mail_id>/body")
def body(mail_id: UUID) -> Response:
    """The HTML of one mail, for the sandboxed frame alone."""
    return _body(STAFF, mail_id)


@staff_mail.post("/<uuid:mail_id>/retry")
def retry(mail_id: UUID) -> BaseResponse:
    """Send a failed mail once more."""
    service.retry_mail(mail_id)
    flash(_("It is on its way again."), "success")
    return redirect(f"{STAFF.prefix}/{mail_id}", 303)


@staff_mail.post("/test", access="staff_admin")
def test() -> BaseResponse:
    """A test mail to oneself: nobody is mailed by staff who mistype."""
    to = _own_address()
    if not to:
        raise Conflict(_("Your account has no address."), fix=_("Log in as a person."))
    mail_id = service.send_test(to)
    flash(_("A test mail to %(to)s is on its way.", to=to), "success")
    return redirect(f"{STAFF.prefix}/{mail_id}", 303)


@demo_mail.get("")
def demo_index() -> Response:
    """The demo's mail viewer: every mail that would have left the house."""
    _demo()
    return _list(DEMO)


@demo_mail.get("/<uuid:mail_id>")
def demo_one(mail_id: UUID) -> str:
    """One mail of the demo."""
    _demo()
    return _one(DEMO, mail_id)


@demo_mail.get("/<uuid:mail_id>/body")
def demo_body(mail_id: UUID) -> Response:
    """Its HTML, for the frame."""
    _demo()
    return _body(DEMO, mail_id)
