"""One customer's money at the operator's desk, and what staff may do to it. Every action is confirmed and audited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from marshmallow import Schema

from chom_core.billing import reads
from chom_core.billing.api.credit import midnight
from chom_core.billing.pages.credit import kind_words
from chom_core.billing.pages.staff import administers, desk, enter
from chom_core.billing.schemas.credit import GrantFormSchema, NoteFormSchema, RefundFormSchema
from chom_core.billing.service.credit import accounts, giving
from chom_core.billing.service.invoicing import credit_notes, sellers, voiding, writing_off
from chom_core.billing.service.invoicing.credit_notes import What
from chom_core.billing.service.paying import refunds
from chom_core.database import Tenant, session
from chom_core.values.errors import ChomError, NotFound
from chom_core.values.ids import parse_uuid, uuid7
from chom_core.web import render
from chom_core.web.forms import Form

_AT = "/organisations/<uuid:tenant_id>/money"


@desk.get(_AT)
def customer_money(tenant_id: UUID) -> Any:
    """Invoices, payments, disputes, credit, notes, refunds of one organisation, and the actions on them."""
    customer = enter(tenant_id)
    return render(
        "billing/staff_money.html",
        customer=customer,
        invoices=reads.invoice_list(),
        payments=reads.payment_list(),
        credit=reads.credit_info(),
        notes=reads.note_list(),
        refunds=reads.refund_list(),
        disputes=reads.dispute_list(),
        statement=reads.statement(),
        may_act=administers(),
    )


@desk.get(f"{_AT}/statement")
def customer_statement(tenant_id: UUID) -> Any:
    """The customer's statement of account, and whether the books say the same."""
    customer = enter(tenant_id)
    shown = reads.statement()
    return render("billing/staff_statement.html", customer=customer, statement=shown, words=kind_words())


@desk.get(f"{_AT}/grant", access="staff_admin")
def grant_form(tenant_id: UUID) -> Any:
    return _ask(enter(tenant_id), GrantFormSchema(), _("Give credit"))


@desk.post(f"{_AT}/grant", access="staff_admin")
def grant(tenant_id: UUID) -> Any:
    """Give credit."""

    def act(values: dict[str, Any], key: str) -> str:
        money = accounts.credits(values["amount"], sellers.profile().currency)
        if values["kind"] == "account":
            accounts.grant_account_credit(money, key, values["reason"])
        else:
            accounts.grant_promotional_credit(
                money, key, values["reason"], midnight(values["expires_on"]), usage_only=values["usage_only"]
            )
        return _("%(amount)s of credit is given.", amount=money.format())

    return _do(enter(tenant_id), GrantFormSchema(), _("Give credit"), act)


@desk.get(f"{_AT}/invoices/<uuid:invoice_id>/note", access="staff_admin")
def note_form(tenant_id: UUID, invoice_id: UUID) -> Any:
    return _ask(enter(tenant_id), NoteFormSchema(), _("Issue a credit note"), **_of_invoice(invoice_id))


@desk.post(f"{_AT}/invoices/<uuid:invoice_id>/note", access="staff_admin")
def note(tenant_id: UUID, invoice_id: UUID) -> Any:
    """Issue a credit note: over lines, an amount, days without service, or all that is left."""
    customer = enter(tenant_id)

    def act(values: dict[str, Any], key: str) -> str:
        words, settle = {"reason": values["reason"], "key": f"staff/{key}"}, values["settle"]
        first = values["idle_from"]
        if first is not None:
            made = giving.idle(invoice_id, first, values["idle_until"] or first, settle, **words)
        else:
            what = _what(values["amount"], reads.invoice(invoice_id).currency)
            made = credit_notes.issue(invoice_id, what, settle, **words)
        return _("Credit note %(number)s is issued.", number=made.number)

    return _do(customer, NoteFormSchema(), _("Issue a credit note"), act, **_of_invoice(invoice_id))


def _what(amount: str, currency: str) -> What:
    lines = {
        int(name[5:]): accounts.credits(text, currency)
        for name, text in request.form.items()
        if name.startswith("line-") and name[5:].isdecimal() and text.strip()
    }
    return lines or (accounts.credits(amount, currency) if amount.strip() else None)


def _of_invoice(invoice_id: UUID) -> dict[str, Any]:
    return {"invoice": reads.invoice(invoice_id), "left": reads.creditable(invoice_id)}


@desk.get(f"{_AT}/payments/<uuid:payment_id>/refund", access="staff_admin")
def refund_form(tenant_id: UUID, payment_id: UUID) -> Any:
    customer = enter(tenant_id)
    return _ask(customer, RefundFormSchema(), _("Refund a payment"), payment=_payment(payment_id))


@desk.post(f"{_AT}/payments/<uuid:payment_id>/refund", access="staff_admin")
def refund(tenant_id: UUID, payment_id: UUID) -> Any:
    """Give a payment back to its card, whole or in part."""
    customer = enter(tenant_id)
    payment = _payment(payment_id)

    def act(values: dict[str, Any], key: str) -> str:
        money = accounts.credits(values["amount"], payment.amount.currency)
        refunds.refund(payment_id, money, values["reason"], f"staff/{key}")
        return _("%(amount)s is on its way back to %(card)s.", amount=money.format(), card=payment.card)

    return _do(customer, RefundFormSchema(), _("Refund a payment"), act, payment=payment)


def _payment(payment_id: UUID) -> reads.PaymentInfo:
    found = next((one for one in reads.payment_list(limit=10_000) if one.id == payment_id), None)
    if found is None:
        raise NotFound(_("There is no such payment."))
    return found


@desk.get(f"{_AT}/credit/<uuid:grant_id>/revoke", access="staff_admin")
def revoke_form(tenant_id: UUID, grant_id: UUID) -> Any:
    return _revoke_page(enter(tenant_id), grant_id)


@desk.post(f"{_AT}/credit/<uuid:grant_id>/revoke", access="staff_admin")
def revoke(tenant_id: UUID, grant_id: UUID) -> Any:
    """Take back what is left of promotional credit; the customer's name is typed to confirm."""
    customer = enter(tenant_id)
    if request.form.get("confirm_name", "").strip() != customer.name:
        return _revoke_page(customer, grant_id, _("This is not the organisation's name.")), 422
    accounts.revoke(grant_id, _reason() or _("Taken back by staff"))
    flash(_("The credit is taken back."), "success")
    return redirect(url_for("billing_staff.customer_money", tenant_id=tenant_id), 303)


@desk.get(f"{_AT}/invoices/<uuid:invoice_id>/<any(void, 'write-off'):ending>", access="staff_admin")
def end_form(tenant_id: UUID, invoice_id: UUID, ending: str) -> Any:
    return _end_page(enter(tenant_id), reads.invoice(invoice_id), ending)


@desk.post(f"{_AT}/invoices/<uuid:invoice_id>/<any(void, 'write-off'):ending>", access="staff_admin")
def end(tenant_id: UUID, invoice_id: UUID, ending: str) -> Any:
    """Void an invoice, or write it off; its number is typed to confirm."""
    customer, invoice = enter(tenant_id), reads.invoice(invoice_id)
    if request.form.get("confirm_name", "").strip() != invoice.number:
        return _end_page(customer, invoice, ending, _("This is not the invoice's number.")), 422
    try:
        if ending == "void":
            voiding.void(invoice_id, settle="refund", reason=_reason() or _("Voided by staff"))
            flash(_("Invoice %(number)s is void.", number=invoice.number), "success")
        else:
            writing_off.write_off(invoice_id, _reason() or _("Written off by staff"))
            flash(_("Invoice %(number)s is written off.", number=invoice.number), "success")
    except ChomError as error:
        session().rollback()
        flash(f"{error.detail} {error.fix}".strip(), "error")
    return redirect(url_for("billing_staff.customer_money", tenant_id=tenant_id), 303)


def _end_page(customer: Tenant, invoice: reads.InvoiceInfo, action: str, error: str = "") -> str:
    at = url_for("billing_staff.customer_money", tenant_id=customer.id)
    void = action == "void"
    paid = invoice.paid.format()
    goes = (
        [_("The whole invoice; its number stays used."), _("%(paid)s goes back to the card.", paid=paid)]
        if void
        else [_("%(due)s is booked as a loss.", due=invoice.due.format())]
    )
    danger = {
        "title": _("Void invoice %(number)s", number=invoice.number)
        if void
        else _("Write off invoice %(number)s", number=invoice.number),
        "name": invoice.number,
        "sentence": _("%(name)s, %(total)s.", name=customer.name, total=invoice.total.format()),
        "loses": goes,
        "kept": [_("Payments stay on the books.")] if void else [_("The customer can still pay it.")],
        "verb": _("Void the invoice") if void else _("Write the invoice off"),
        "reason": _("Why? The audit log keeps it."),
    }
    return render(
        "confirm.html",
        danger=danger,
        action=f"{at}/invoices/{invoice.id}/{action}",
        cancel_url=at,
        error=error,
    )


def _revoke_page(customer: Tenant, grant_id: UUID, error: str = "") -> str:
    at = url_for("billing_staff.customer_money", tenant_id=customer.id)
    grant = next((one for one in reads.credit_info().grants if one.id == grant_id), None)
    if grant is None:
        raise NotFound(_("There is no such credit."))
    danger = {
        "title": _("Take back promotional credit"),
        "name": customer.name,
        "sentence": f"{customer.name}: {grant.reason}",
        "loses": [_("%(left)s that was not used yet.", left=grant.remaining.format())],
        "kept": [_("What was used of it already.")],
        "verb": _("Take it back"),
        "reason": _("Why? The audit log keeps it."),
    }
    action = f"{at}/credit/{grant.id}/revoke"
    return render("confirm.html", danger=danger, action=action, cancel_url=at, error=error)


def _reason() -> str:
    return request.form.get("reason", "").strip()[:200]


def _ask(customer: Tenant, schema: Schema, title: str, **more: Any) -> str:
    return _action_page(customer, Form(schema), title, uuid7().hex, **more)


def _do(
    customer: Tenant, schema: Schema, title: str, act: Callable[[dict[str, Any], str], str], **more: Any
) -> Any:
    """Check the form, act, say what happened; what is wrong comes back in place, and nothing is written then."""
    form, given = Form(schema).parse(request.form), parse_uuid(request.form.get("key", ""))
    key = (given or uuid7()).hex
    if form.ok:
        try:
            done = act(form.values, key)
        except ChomError as error:
            session().rollback()
            form.refuse(error)
        else:
            flash(done, "success")
            return redirect(url_for("billing_staff.customer_money", tenant_id=customer.id), 303)
    return _action_page(customer, form, title, key, **more), form.status


def _action_page(customer: Tenant, form: Form, title: str, key: str, **more: Any) -> str:
    back = url_for("billing_staff.customer_money", tenant_id=customer.id)
    return render(
        "billing/staff_action.html", customer=customer, form=form, title=title, key=key, back=back,
        action=request.path, **more,
    )  # fmt: skip
