"""Unpaid invoices: the bar above an organisation's pages, and staff's list with what they can do about each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from chom_core.billing import reads
from chom_core.billing.pages.staff import administers, desk, enter
from chom_core.billing.reads import UnpaidInfo
from chom_core.billing.reads import dunning as unpaid_reads
from chom_core.billing.service.dunning import desk as dunning_desk
from chom_core.database import Tenant, everyone, session
from chom_core.database.unit import current_or_none
from chom_core.plugin_host import NavItem
from chom_core.values.access import ROLES
from chom_core.values.errors import ChomError
from chom_core.values.ids import uuid7
from chom_core.web import banners, nav, render
from chom_core.web.formats import day
from chom_core.web.layout import Banner

nav.add(NavItem(_l("Unpaid"), "billing_staff.unpaid", "alert-triangle", "Staff", "staff", 41))
Decision = Callable[[UUID], str]
_AT = "/organisations/<uuid:tenant_id>/unpaid/<uuid:dunning_id>"


def unpaid_banner() -> Iterable[Banner]:
    """Everybody of the organisation sees what is coming; who may pay gets the way there."""
    found = unpaid_reads.most_urgent()
    unit = current_or_none()
    if found is None or unit is None or unit.principal.kind != "person" or not found.due:
        return ()
    if found.suspended_at is not None:
        words = _("Services are suspended: invoice %(number)s is unpaid.", number=found.number)
        words += " " + _("They run again by themselves when it is paid.")
    else:
        words = _(
            "Invoice %(number)s is unpaid. If it stays so, services are suspended on %(day)s.",
            number=found.number, day=day(found.suspend_at),
        )  # fmt: skip
    tone = "bad" if found.suspended_at is not None else "warn"
    if unit.principal.role not in ROLES["billing"]:
        return (Banner(words, tone, "alert-triangle"),)
    return (Banner(words, tone, "alert-triangle", _("Pay now"), f"/billing/invoices/{found.invoice_id}"),)


banners.add(unpaid_banner)


@desk.get("/unpaid")
def unpaid() -> Any:
    """Unpaid invoices of all organisations, by rung."""
    with everyone("staff: unpaid invoices") as here:
        rows = reads.unpaid_list(here)
        query = select(Tenant.id, Tenant.name).where(Tenant.id.in_({row.tenant_id for row in rows}))
        names = {row[0]: row[1] for row in here.execute(query)}
    return render(
        "billing/unpaid.html", rungs=by_rung(rows), names=names, may_act=administers(), attempt=uuid7().hex
    )


@desk.get(_AT)
def unpaid_one(tenant_id: UUID, dunning_id: UUID) -> Any:
    """One ladder: what was done, what comes, and the decisions."""
    customer = enter(tenant_id)
    return render(
        "billing/unpaid_one.html", customer=customer, may_act=administers(), **ladder_of(dunning_id)
    )


@desk.post(f"{_AT}/retry", access="staff_admin")
def unpaid_retry(tenant_id: UUID, dunning_id: UUID) -> Any:
    """Ask the card now; a job does it, so nobody waits for a bank here."""
    return _decided(tenant_id, dunning_id, retry)


@desk.post(f"{_AT}/extend", access="staff_admin")
def unpaid_extend(tenant_id: UUID, dunning_id: UUID) -> Any:
    """Give more time."""
    return _decided(tenant_id, dunning_id, extend)


@desk.post(f"{_AT}/waive", access="staff_admin")
def unpaid_waive(tenant_id: UUID, dunning_id: UUID) -> Any:
    """Let the customer off."""
    return _decided(tenant_id, dunning_id, waive)


def _decided(tenant_id: UUID, dunning_id: UUID, decision: Decision) -> Any:
    enter(tenant_id)
    decide(dunning_id, decision)
    return redirect(url_for("billing_staff.unpaid_one", tenant_id=tenant_id, dunning_id=dunning_id), 303)


def retry(dunning_id: UUID) -> str:
    """The decisions, as the form of one ladder sends them; each answers with what it says when it is done."""
    dunning_desk.retry_now(dunning_id, request.form.get("attempt", ""))
    return str(_("The card is being asked."))


def extend(dunning_id: UUID) -> str:
    """More time."""
    text = request.form.get("days", "")
    days = int(text) if text.isdecimal() and len(text) < 5 else 0
    dunning_desk.extend(dunning_id, days, request.form.get("reason", ""))
    return str(_("The suspension is put off; services run until then."))


def waive(dunning_id: UUID) -> str:
    """No debt any more."""
    dunning_desk.waive(dunning_id, request.form.get("reason", ""))
    return str(_("A credit note took off what was due."))


def decide(dunning_id: UUID, decision: Decision) -> None:
    """Take one of them in the current unit's organisation, and say what came of it."""
    try:
        said = decision(dunning_id)
    except ChomError as error:
        session().rollback()
        fields = " ".join(text for texts in error.fields.values() for text in texts)
        flash(" ".join(part for part in (error.detail, fields, error.fix) if part), "error")
    else:
        flash(said, "success")


def by_rung(rows: list[UnpaidInfo]) -> list[tuple[int, list[UnpaidInfo]]]:
    """As the list shows them."""
    return [(rung, [row for row in rows if row.rung == rung]) for rung in sorted({row.rung for row in rows})]


def ladder_of(dunning_id: UUID) -> dict[str, Any]:
    """What the page of one ladder shows, in its organisation's unit."""
    info, steps = unpaid_reads.ladder(dunning_id)
    return {"info": info, "steps": steps, "attempt": uuid7().hex}
