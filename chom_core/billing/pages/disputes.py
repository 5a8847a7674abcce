"""Staff's disputes: the list by the bank's deadline, and the page of one: what happened, and what the bank is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import flash, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_

from chom_core.billing import reads
from chom_core.billing.models import Dispute
from chom_core.billing.pages.lists import MOST
from chom_core.billing.pages.staff import administers, desk, enter, named, names
from chom_core.billing.reads import dispute_facts
from chom_core.billing.reads.disputes import URGENCY
from chom_core.billing.service.paying import answers
from chom_core.billing.service.paying.answers import OURS, Kind
from chom_core.database import Tenant, clock, everyone, session
from chom_core.plugin_host import NavItem
from chom_core.values.errors import ChomError, Conflict
from chom_core.web import nav, render
from chom_core.web.export import csv_response
from chom_core.web.tables import Filter, ListPage, Sort, moment

nav.add(NavItem(_l("Disputes"), "billing_staff.disputes", "shield-x", "Staff", "staff", 41))
_AT = "/organisations/<uuid:tenant_id>/disputes/<uuid:dispute_id>"
STATES = (
    ("needs_answer", _l("Needs an answer")), ("sending", _l("Being sent")), ("with_bank", _l("With the bank")),
    ("won", _l("Won")), ("lost", _l("Lost")),
)  # fmt: skip
DISPUTES = ListPage(
    "staff_disputes",
    {
        "due": Sort(URGENCY, int, lambda row: row.urgency),
        "opened": Sort(Dispute.created_at, moment),
        "amount": Sort(Dispute.amount, int, lambda row: row.amount.amount),
    },
    "due",
    (Filter("q", _l("Organisation or reference")), Filter("status", _l("Status"), STATES)),
)


@desk.get("/disputes")
def disputes() -> Any:
    """Disputes of all organisations: those that wait for an answer first."""
    view = DISPUTES.read(request)
    query = reads.dispute_query(view.filters.get("status", ""))
    if words := view.filters.get("q"):
        query = query.where(
            or_(Dispute.reference.icontains(words, autoescape=True), Dispute.tenant_id.in_(named(words)))
        )
    with everyone("staff: disputes") as here:
        if view.export:
            rows = reads.dispute_infos(here.execute(view.ordered(query, Dispute.id).limit(MOST)))
            return _csv(rows, names(here, rows))
        page = view.page(query, Dispute.id, lambda statement: reads.dispute_infos(here.execute(statement)))
        whose = names(here, page.rows)
    html = render("billing/staff_disputes.html", view=view, page=page, names=whose, now=clock.now())
    return view.remember(make_response(html))


@desk.get(_AT)
def dispute(tenant_id: UUID, dispute_id: UUID) -> Any:
    """What happened, and the answer: written here as long as the bank waits for it."""
    return _page(enter(tenant_id), dispute_id)


@desk.post(f"{_AT}/draft", access="staff_admin")
def dispute_draft(tenant_id: UUID, dispute_id: UUID) -> Any:
    """Keep what was written; with `then=send` go on to read it once more."""
    customer = enter(tenant_id)
    found = dispute_facts.fields_here(reads.dispute(dispute_id))
    texts = {field.name: request.form.get(f"e-{field.name}", "") for field in found}
    try:
        answers.save(dispute_id, texts, _version(), found)
    except ChomError as error:
        session().rollback()
        return _page(customer, dispute_id, error, texts), error.status
    if request.form.get("then") == "send":
        return redirect(_url("dispute_send_form", customer.id, dispute_id), 303)
    flash(_("The draft is saved. Nothing was sent."), "success")
    return redirect(_url("dispute", customer.id, dispute_id), 303)


@desk.get(f"{_AT}/send", access="staff_admin")
def dispute_send_form(tenant_id: UUID, dispute_id: UUID) -> Any:
    """The evidence as it will be sent, to be confirmed."""
    return _send_page(enter(tenant_id), dispute_id)


@desk.post(f"{_AT}/send", access="staff_admin")
def dispute_send(tenant_id: UUID, dispute_id: UUID) -> Any:
    """Send it; a job calls the gateway, so nobody waits for it here."""
    if not request.form.get("confirm"):
        words = _("Say that it is complete: it cannot be changed after.")
        return _send_page(enter(tenant_id), dispute_id, words), 422
    enter(tenant_id)
    return _decided(tenant_id, dispute_id, "evidence", _("The evidence is on its way to the bank."))


@desk.get(f"{_AT}/accept", access="staff_admin")
def dispute_accept_form(tenant_id: UUID, dispute_id: UUID) -> Any:
    return _accept_page(enter(tenant_id), dispute_id)


@desk.post(f"{_AT}/accept", access="staff_admin")
def dispute_accept(tenant_id: UUID, dispute_id: UUID) -> Any:
    """Give the dispute up; the customer's name is typed to confirm."""
    customer = enter(tenant_id)
    if request.form.get("confirm_name", "").strip() != customer.name:
        return _accept_page(customer, dispute_id, _("This is not the organisation's name.")), 422
    return _decided(tenant_id, dispute_id, "accept", _("The dispute is being given up."))


def _decided(tenant_id: UUID, dispute_id: UUID, kind: Kind, said: str) -> Any:
    try:
        answers.decide(dispute_id, kind, _version())
    except ChomError as error:
        session().rollback()
        flash(f"{error.detail} {error.fix}".strip(), "error")
    else:
        flash(said, "success")
    return redirect(_url("dispute", tenant_id, dispute_id), 303)


def _page(
    customer: Tenant, dispute_id: UUID, error: ChomError | None = None, typed: dict[str, str] | None = None
) -> str:
    detail = reads.dispute(dispute_id)
    found = dispute_facts.fields(detail) if detail.info.state == "needs_answer" else ()
    kept = detail.answer.evidence if detail.answer is not None else None
    # what was written stands; before that, what is proposed
    texts = typed or kept or {field.name: field.text for field in found or ()}
    return render(
        "billing/staff_dispute.html", customer=customer, detail=detail, info=detail.info, fields=found, texts=texts,
        error=error, may_act=administers(), now=clock.now(), told=_told(detail) if found == () else (),
        version=detail.answer.version if detail.answer else 0,
    )  # fmt: skip


def _send_page(customer: Tenant, dispute_id: UUID, error: str = "") -> str:
    detail = _undecided(dispute_id)
    return render(
        "billing/staff_dispute_send.html", customer=customer, detail=detail, info=detail.info, told=_told(detail),
        error=error,
    )  # fmt: skip


def _told(detail: reads.DisputeDetail) -> list[tuple[str, str]]:
    """The evidence by the titles and in the order of its fields; by the gateway's names where nobody says those."""
    kept = dict(detail.answer.evidence) if detail.answer is not None else {}
    known = [(field.title, kept.pop(field.name, "")) for field in dispute_facts.fields(detail) or ()]
    return [(title, text) for title, text in [*known, *kept.items()] if text]


def _accept_page(customer: Tenant, dispute_id: UUID, error: str = "") -> str:
    detail = _undecided(dispute_id)
    at = _url("dispute", customer.id, dispute_id)
    version = detail.answer.version if detail.answer else 0
    danger = {
        "title": _("Accept the dispute"),
        "name": customer.name,
        "sentence": _("%(name)s, %(amount)s.", name=customer.name, amount=detail.info.amount.format()),
        "loses": [
            _("The bank keeps %(amount)s, for good.", amount=detail.info.amount.format()),
            _("No evidence can be sent any more."),
        ],
        "kept": [_("The customer's services and invoices stay as they are.")],
        "verb": _("Give the dispute up"),
    }
    return render(
        "confirm.html", danger=danger, action=f"{at}/accept?version={version}", cancel_url=at, error=error
    )


def _undecided(dispute_id: UUID) -> reads.DisputeDetail:
    detail = reads.dispute(dispute_id)
    if detail.info.state != "needs_answer" or (detail.answer and detail.answer.status not in OURS):
        raise Conflict(_("The bank takes no answer any more."), fix=_("Look at the dispute again."))
    return detail


def _version() -> int:
    text = request.values.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 9 else -1


def _url(endpoint: str, tenant_id: UUID, dispute_id: UUID) -> str:
    return url_for(f"billing_staff.{endpoint}", tenant_id=tenant_id, dispute_id=dispute_id)


def _csv(rows: Iterable[reads.DisputeInfo], whose: dict[Any, str]) -> Any:
    head = [
        _("Opened"), _("Organisation"), _("Reference"), _("Card"), _("Reason"), _("Status"), _("Answer by"),
        _("Decided"), _("Currency"), _("Amount"),
    ]  # fmt: skip
    lines = (
        [one.created_at, whose.get(one.tenant_id, ""), one.reference, one.card, one.reason, one.state,
         one.evidence_due, one.closed_at, one.amount.currency, one.amount.major]
        for one in rows
    )  # fmt: skip
    return csv_response("disputes", head, lines)
