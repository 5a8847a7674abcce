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
from chom_core.billing.reads import dunning as unpaid_reads
from chom_core.billing.schemas.dunning import TermsFormSchema
from chom_core.billing.service.dunning import desk as dunning_desk
from chom_core.billing.service.dunning import rows as dunning_rows
from chom_core.database import PLATFORM_ID, Tenant, bind_tenant, everyone
from chom_core.database.unit import current_or_none
from chom_core.plugin_host import NavItem
from chom_core.values.access import ROLES
from chom_core.values.errors import ChomError
from chom_core.values.ids import uuid7
from chom_core.web import banners, nav, render
from chom_core.web.formats import day
from chom_core.web.forms import Form
from chom_core.web.layout import Banner

nav.add(NavItem(_l("Unpaid"), "billing_staff.unpaid", "alert-triangle", "Staff", "staff", 41))
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
    rungs = [(rung, [row for row in rows if row.rung == rung]) for rung in sorted({row.rung for row in rows})]
    return render(
        "billing/staff_unpaid.html", rungs=rungs, names=names, may_act=administers(), attempt=uuid7().hex
    )


@desk.get(_AT)
def unpaid_one(tenant_id: UUID, dunning_id: UUID) -> Any:
    """One ladder: what was done, what comes, and the decisions."""
    customer = enter(tenant_id)
    of = dunning_rows.locked(dunning_id)
    info = reads.unpaid(of.invoice_id)
    return render(
        "billing/staff_unpaid_one.html", customer=customer, info=info, steps=reads.unpaid_steps(dunning_id),
        may_act=administers(), attempt=uuid7().hex,
    )  # fmt: skip


@desk.post(f"{_AT}/retry", access="staff_admin")
def unpaid_retry(tenant_id: UUID, dunning_id: UUID) -> Any:
    """Ask the card now; a job does it, so nobody waits for a bank here."""
    attempt = request.form.get("attempt", "")
    return _act(
        tenant_id,
        dunning_id,
        lambda: dunning_desk.retry_now(dunning_id, attempt),
        _("The card is being asked."),
    )


@desk.post(f"{_AT}/extend", access="staff_admin")
def unpaid_extend(tenant_id: UUID, dunning_id: UUID) -> Any:
    """Give more time."""
    text = request.form.get("days", "")
    days = int(text) if text.isdecimal() and len(text) < 5 else 0
    reason = request.form.get("reason", "")
    done = _("The suspension is put off; services run until then.")
    return _act(tenant_id, dunning_id, lambda: dunning_desk.extend(dunning_id, days, reason), done)


@desk.post(f"{_AT}/waive", access="staff_admin")
def unpaid_waive(tenant_id: UUID, dunning_id: UUID) -> Any:
    """Let the customer off."""
    reason = request.form.get("reason", "")
    done = _("A credit note took off what was due.")
    return _act(tenant_id, dunning_id, lambda: dunning_desk.waive(dunning_id, reason), done)


@desk.get("/unpaid/terms", access="staff_admin")
def terms() -> Any:
    """The platform's ladder."""
    bind_tenant(PLATFORM_ID)
    known = dunning_rows.policy(PLATFORM_ID)
    shown = known.data() | {"retry_days": ", ".join(str(one) for one in known.retry_days)}
    return render("billing/staff_terms.html", form=Form(TermsFormSchema(), shown))


@desk.post("/unpaid/terms", access="staff_admin")
def terms_post() -> Any:
    """Change it, for invoices that fail from now on."""
    bind_tenant(PLATFORM_ID)
    form = Form(TermsFormSchema(), {}).parse(request.form)
    if form.ok:
        try:
            dunning_desk.set_policy(form.values)
        except ChomError as error:
            form.refuse(error)
        else:
            flash(_("Saved: it holds for invoices that fail from now on."), "success")
            return redirect(url_for("billing_staff.unpaid"), 303)
    return render("billing/staff_terms.html", form=form), form.status


def _act(tenant_id: UUID, dunning_id: UUID, verb: Callable[[], object], done: str) -> Any:
    enter(tenant_id)
    try:
        verb()
    except ChomError as error:
        fields = " ".join(text for texts in error.fields.values() for text in texts)
        flash(" ".join(part for part in (error.detail, fields, error.fix) if part), "error")
    else:
        flash(done, "success")
    return redirect(url_for("billing_staff.unpaid_one", tenant_id=tenant_id, dunning_id=dunning_id), 303)
