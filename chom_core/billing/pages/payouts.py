"""Payouts at the operator's desk: what waits to be paid by hand, what is on its way, what arrived."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from chom_core.billing.pages.staff import administers, desk, enter
from chom_core.billing.reads.payouts import payout_list
from chom_core.billing.service.partners import payouts
from chom_core.database import Tenant, everyone, session
from chom_core.plugin_host import NavItem
from chom_core.values.errors import ChomError, NotFound
from chom_core.web import nav, render

nav.add(NavItem(_l("Payouts"), "billing_staff.payout_desk", "cash", "Staff", "staff", 44))


@desk.get("/payouts")
def payout_desk() -> Any:
    """Payouts of all organisations, newest first; those that wait for a person on top."""
    with everyone("staff: payouts") as here:
        rows = payout_list(here=here, limit=500)
        ids = {row.tenant_id for row in rows}
        names = dict(here.execute(select(Tenant.id, Tenant.name).where(Tenant.id.in_(ids))).all())
    rows.sort(key=lambda row: (row.status, row.method) != ("pending", payouts.MANUAL))
    return render(
        "billing/staff_payouts.html", payouts=rows, names=names, may_act=administers(), manual=payouts.MANUAL
    )


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
