"""Who the invoices are for, the documents to download, and the rates of tax that staff set."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from chom_core.billing.pages.base import pages
from chom_core.billing.pages.staff import desk
from chom_core.billing.schemas.documents import BillingDetailsSchema, WishesSchema
from chom_core.billing.schemas.dunning import TaxRateFormSchema
from chom_core.billing.service.invoicing import documents, sellers, tax
from chom_core.billing.service.invoicing.documents import Drawn
from chom_core.database import PLATFORM_ID, bind_tenant
from chom_core.plugin_host import NavItem
from chom_core.values.errors import ChomError
from chom_core.web import nav, render
from chom_core.web.forms import Form

nav.add(
    NavItem(_l("Billing details"), "billing.profile", "id", "Money", "billing", 40),
    NavItem(_l("Tax rates"), "billing_staff.tax_rates", "percentage", "Staff", "staff_admin", 43),
)


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
    form = _form().parse(request.form)
    if form.ok:
        try:
            sellers.update_profile(form.values)
        except ChomError as error:
            form.refuse(error)
        else:
            flash(_("Saved. The next invoice carries it."), "success")
            return redirect(url_for("billing.profile"), 303)
    return _profile_page(form), form.status


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


@desk.get("/tax", access="staff_admin")
def tax_rates() -> Any:
    """What the platform charges where, and a form for another rate."""
    bind_tenant(PLATFORM_ID)
    return _tax_page(Form(TaxRateFormSchema(), {}))


@desk.post("/tax", access="staff_admin")
def tax_rate_post() -> Any:
    """Set a rate from a day on. Invoices of before are frozen."""
    bind_tenant(PLATFORM_ID)
    form = Form(TaxRateFormSchema(), {}).parse(request.form)
    if form.ok:
        values = dict(form.values)
        country, rate = values.pop("country"), values.pop("rate")
        try:
            tax.set_rate(country, rate, **values)
        except ChomError as error:
            form.refuse(error)
        else:
            flash(_("The rate is set."), "success")
            return redirect(url_for("billing_staff.tax_rates"), 303)
    return _tax_page(form), form.status


def _tax_page(form: Form) -> str:
    seller = sellers.seller()
    return render("billing/staff_tax.html", form=form, rates=tax.rates(seller.id), seller=seller)
