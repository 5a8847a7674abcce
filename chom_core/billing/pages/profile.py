"""Who the invoices are for, and the documents to download."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from chom_core.billing.pages.base import pages, save
from chom_core.billing.schemas.documents import BillingDetailsSchema, WishesSchema
from chom_core.billing.service.invoicing import documents, sellers
from chom_core.billing.service.invoicing.documents import Drawn
from chom_core.plugin_host import NavItem
from chom_core.web import nav, render
from chom_core.web.forms import Form

nav.add(NavItem(_l("Billing details"), "billing.profile", "id", "Money", "billing", 40))


def attachment(drawn: Drawn) -> Response:
    """The file as a download, kept by nobody on the way."""
    answer = Response(drawn.content, mimetype=documents.MIME)
    answer.headers["Content-Disposition"] = f'attachment; filename="{drawn.name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@pages.get("/billing/invoices/<uuid:invoice_id>/pdf")
def invoice_pdf(invoice_id: UUID) -> Any:
    """The invoice as PDF."""
    return attachment(documents.invoice_pdf(invoice_id))


@pages.get("/billing/credit-notes/<uuid:note_id>/pdf")
def credit_note_pdf(note_id: UUID) -> Any:
    """The credit note as PDF."""
    return attachment(documents.credit_note_pdf(note_id))


@pages.get("/billing/details")
def profile() -> Any:
    """Who the next invoices are for. Those of before stay as they were."""
    return _profile_page(_form())


@pages.post("/billing/details")
def profile_post() -> Any:
    """Save it, if an invoice can bear it."""
    form = _form()
    saved = save(form, sellers.update_profile, _("Saved. The next invoice carries it."))
    return saved or (_profile_page(form), form.status)


@pages.post("/billing/details/wishes")
def wishes_post() -> Any:
    """One invoice for several subscriptions, and the day on which periods begin."""
    form = Form(WishesSchema()).parse(request.form)
    if form.ok:
        sellers.update_wishes(**form.values)
        flash(_("Saved. It counts from the next bill on."), "success")
        return redirect(url_for("billing.profile"), 303)
    return _profile_page(_form(), form), form.status


def _profile_page(form: Form, wishes: Form | None = None) -> str:
    known = sellers.profile()
    held = {"consolidate": known.consolidate, "billing_day": known.billing_day}
    return render("billing/profile.html", form=form, wishes=wishes or Form(WishesSchema(), held))


def _form() -> Form:
    known = sellers.profile()
    return Form(BillingDetailsSchema(), {name: getattr(known, name) for name in sellers.PROFILE_FIELDS})
