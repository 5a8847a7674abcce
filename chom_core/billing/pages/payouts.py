"""Payouts at the operator's desk: what waits to be paid by hand, what is on its way, what arrived."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import flash, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, and_, case, or_, select
from sqlalchemy.orm import Session

from chom_core.billing.models import Payout
from chom_core.billing.pages.lists import MOST
from chom_core.billing.pages.staff import administers, desk, enter, named, names
from chom_core.billing.reads.payouts import PayoutInfo, payout_info
from chom_core.billing.service.partners import payouts
from chom_core.database import everyone, session
from chom_core.plugin_host import NavItem
from chom_core.values.errors import ChomError, NotFound
from chom_core.web import nav, render
from chom_core.web.export import csv_response
from chom_core.web.tables import Filter, ListPage, Sort, View, moment

nav.add(NavItem(_l("Payouts"), "billing_staff.payout_desk", "cash", "Staff", "staff", 44))


KINDS = (("vendor", _l("Vendor")), ("affiliate", _l("Affiliate")), ("reseller", _l("Reseller")))
STATES = (("pending", _l("Pending")), ("posted", _l("Paid")), ("voided", _l("Void")))
#: Whether a person has to pay it.
_WAITS = case((and_(Payout.status == "pending", Payout.method == payouts.MANUAL), 1), else_=0)
PAYOUTS = ListPage(
    "staff_payouts",
    {
        "waits": Sort(_WAITS, int, lambda row: int((row.status, row.method) == ("pending", payouts.MANUAL))),
        "created": Sort(Payout.created_at, moment),
        "amount": Sort(Payout.amount, int, lambda row: row.amount.amount),
    },
    "-waits",
    (
        Filter("q", _l("Organisation or reference")),
        Filter("kind", _l("For"), KINDS),
        Filter("status", _l("State"), STATES),
    ),
)


@desk.get("/payouts")
def payout_desk() -> Any:
    """Payouts of all organisations, newest first; those that wait for a person on top."""
    view = PAYOUTS.read(request)
    query = _query(view)
    with everyone("staff: payouts") as here:
        if view.export:
            rows = _infos(here, view.ordered(query, Payout.id).limit(MOST))
            return _csv(rows, names(here, rows))
        page = view.page(query, Payout.id, lambda statement: _infos(here, statement))
        whose = names(here, page.rows)
    html = render(
        "billing/staff_payouts.html", view=view, page=page, names=whose, kinds=dict(KINDS), may_act=administers(),
        manual=payouts.MANUAL,
    )  # fmt: skip
    return view.remember(make_response(html))


def _query(view: View) -> Select[Any]:
    query = select(Payout)
    for name, column in (("kind", Payout.kind), ("status", Payout.status)):
        if view.filters.get(name):
            query = query.where(column == view.filters[name])
    if words := view.filters.get("q"):
        query = query.where(
            or_(Payout.reference.icontains(words, autoescape=True), Payout.tenant_id.in_(named(words)))
        )
    return query


def _infos(here: Session, query: Select[Any]) -> list[PayoutInfo]:
    return [payout_info(row) for row in here.scalars(query)]


def _csv(rows: Iterable[PayoutInfo], whose: dict[Any, str]) -> Any:
    head = [
        _("When"), _("Organisation"), _("For"), _("How"), _("Reference"), _("State"), _("Settled"), _("Currency"),
        _("Amount"),
    ]  # fmt: skip
    kinds, states = dict(KINDS), dict(STATES)
    lines = (
        [one.created_at, whose.get(one.tenant_id, ""), kinds[one.kind], one.method, one.reference, states[one.status],
         one.settled_at, one.amount.currency, one.amount.major]
        for one in rows
    )  # fmt: skip
    return csv_response("payouts", head, lines)


@desk.post("/organisations/<uuid:tenant_id>/payouts/<uuid:payout_id>", access="staff_admin")
def payout_act(tenant_id: UUID, payout_id: UUID) -> Any:
    """Say that a payout was paid by hand, with the bank's reference; or void it, with a reason."""
    enter(tenant_id)
    words = request.form.get("words", "")
    try:
        if request.form.get("act") == "void":
            payouts.void(payout_id, words)
            flash(_("The payout is void; what it held is available again."), "success")
        else:
            payouts.mark_paid(payout_id, words)
            flash(_("The payout is paid."), "success")
    except NotFound:
        raise
    except ChomError as error:
        session().rollback()
        said = " ".join(message for messages in error.fields.values() for message in messages)
        flash(f"{error.detail} {error.fix} {said}".strip(), "error")
    return redirect(url_for("billing_staff.payout_desk"), 303)
