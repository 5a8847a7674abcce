"""The customer's credit: what is left, topping up, what it was used for; credit notes; the statement of account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from chom_core.billing import reads
from chom_core.billing.api.credit import midnight
from chom_core.billing.models import Payment
from chom_core.billing.pages.base import day_of, lead_to, pages
from chom_core.billing.schemas.credit import TopUpFormSchema
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying import methods, payments
from chom_core.plugin_host import NavItem
from chom_core.values.errors import ChomError, Invalid, NotFound
from chom_core.values.ids import parse_uuid, uuid7
from chom_core.values.money import Money
from chom_core.web import nav, render
from chom_core.web.forms import Form

nav.add(NavItem(_l("Credit"), "billing.credit_page", "coins", "Money", "billing", 25))


@pages.get("/billing/credit")
def credit_page() -> Any:
    """Credit by kind, a form to top up, grants and uses."""
    return _page(Form(TopUpFormSchema()))


@pages.post("/billing/credit")
def top_up() -> Any:
    """Charge the chosen card. Pressed twice it is one charge: the key came with the form."""
    form = Form(TopUpFormSchema()).parse(request.form)
    if not form.ok:
        return _page(form), form.status
    try:
        method_id = parse_uuid(request.form.get("method", ""))
        if method_id is None:
            raise Invalid(_("Choose a card."), fix=_("Add one under Payment methods first."))
        money = accounts.credits(form.values["amount"], sellers.profile().currency)
        back = request.host_url.rstrip("/") + "/billing/credit/confirm?payment=PAYMENT"
        payment = accounts.top_up(money, method_id, request.form.get("key", "")[:60], return_url=back)
    except ChomError as error:
        form.refuse(error)
        return _page(form), error.status
    return _onward(payment)


@pages.get("/billing/credit/confirm")
def top_up_confirm() -> Any:
    """Back from the second step: the gateway is asked, whatever the address says."""
    payment_id = parse_uuid(request.args.get("payment", ""))
    if payment_id is None:
        raise NotFound(_("There is no such payment."))
    return _onward(payments.refetch(payment_id))


def _onward(payment: Payment) -> Any:
    if payment.status == "requires_action" and payment.url:
        return lead_to(payment.url)
    amount = Money(payment.amount, payment.currency).format()
    if payment.status == "succeeded":
        flash(_("%(amount)s was charged and is account credit now.", amount=amount), "success")
    elif payment.status in ("declined", "cancelled"):
        flash(f"{payment.message} {_('Nothing was charged.')} {payment.fix}".strip(), "error")
    else:
        flash(_("The payment is on its way. This page shows it as soon as the bank has answered."), "info")
    return redirect(url_for("billing.credit_page"), 303)


def _page(form: Form) -> str:
    return render(
        "billing/credit.html",
        credit=reads.credit_info(),
        form=form,
        methods=methods.usable_methods(),
        key=uuid7().hex,
        chosen=request.form.get("method", ""),
    )


@pages.get("/billing/credit-notes/<uuid:note_id>")
def credit_note(note_id: UUID) -> Any:
    """One credit note, ready to print."""
    note = reads.note(note_id)
    return render("billing/credit_note.html", note=note, invoice=reads.invoice(note.invoice_id))


@pages.get("/billing/statement")
def statement() -> Any:
    """Every document and payment of a span of days, with what stood before and after."""
    start, end = day_of("from"), day_of("to")
    try:
        shown = reads.statement(midnight(start), midnight(end))
    except Invalid as wrong:
        flash(wrong.detail, "error")
        start = end = None
        shown = reads.statement()
    return render("billing/statement.html", statement=shown, start=start, end=end, words=kind_words())


def kind_words() -> dict[str, str]:
    """The kinds of a statement's entries, for people."""
    return {
        "invoice": _("Invoice"),
        "void": _("Invoice voided"),
        "write-off": _("Written off"),
        "recovery": _("Write-off taken back"),
        "credit note": _("Credit note"),
        "payment": _("Payment"),
        "top-up": _("Top-up"),
        "refund": _("Refund"),
        "credit": _("Credit granted"),
        "credit ended": _("Credit ended"),
        "dispute": _("Taken back by a bank"),
    }
