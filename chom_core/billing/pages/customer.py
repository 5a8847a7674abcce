"""The organisation's own billing: overview, invoices, cards, cancelling."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from chom_core.billing import reads
from chom_core.billing.pages.base import card_fields, lead_to, onward, pages, per
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.changes import ending
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying import gateways, methods
from chom_core.billing.service.subscribing import subscriptions
from chom_core.plugin_host import NavItem
from chom_core.values.billing import CardElsewhere
from chom_core.values.errors import ChomError, Invalid
from chom_core.values.ids import parse_uuid
from chom_core.web import nav, render

nav.add(
    NavItem(_l("Billing"), "billing.overview", "wallet", "Money", "billing", 10),
    NavItem(_l("Invoices"), "billing.invoices", "receipt", "Money", "billing", 20),
    NavItem(_l("Payment methods"), "billing.cards", "credit-card", "Money", "billing", 30),
)


@pages.get("/billing")
def overview() -> Any:
    """Plan, what renews when and for how much, allowances as bars, what is owed."""
    return render("billing/overview.html", money=reads.overview(), per=per)


@pages.post("/billing/subscriptions/<uuid:subscription_id>/cancel")
def cancel(subscription_id: UUID) -> Any:
    """Do not renew; or end it now, and keep what is unused as account credit. With the reason, where one is given."""
    reason = request.form.get("reason", "")
    if request.form.get("when") == "now":
        credit = ending.cancel_now(subscription_id, reason=reason)
        words = _("%(amount)s of it was unused and is account credit now.", amount=credit.format())
        flash(f"{_('It has ended.')} {words if credit else ''}".strip(), "success")
        return redirect(url_for("billing.overview"), 303)
    of = subscriptions.cancel(subscription_id, reason=reason)
    flash(
        _("%(plan)s runs until %(day)s and is not renewed.", plan=of.items[0].title, day=_day(of)), "success"
    )
    return redirect(url_for("billing.overview"), 303)


@pages.post("/billing/subscriptions/<uuid:subscription_id>/keep")
def keep(subscription_id: UUID) -> Any:
    """Take the cancellation back."""
    of = subscriptions.keep(subscription_id)
    flash(_("%(plan)s is renewed on %(day)s as before.", plan=of.items[0].title, day=_day(of)), "success")
    return redirect(url_for("billing.overview"), 303)


@pages.get("/billing/invoices/<uuid:invoice_id>")
def invoice(invoice_id: UUID) -> Any:
    """One invoice, ready to print; with its payments, and a way to pay what is open."""
    return render(
        "billing/invoice.html",
        invoice=reads.invoice(invoice_id),
        payments=reads.payment_list(invoice_id),
        uses=reads.credit_uses(invoice_id),
        notes=reads.note_list(invoice_id),
        refunds=reads.refund_list(invoice_id),
        methods=methods.methods(),
        attempt=checkout.new_id().hex,
    )


@pages.post("/billing/invoices/<uuid:invoice_id>/pay")
def pay_invoice(invoice_id: UUID) -> Any:
    """Pay an open invoice with a card on file."""
    method_id = parse_uuid(request.form.get("method", ""))
    if method_id is None:
        raise Invalid(
            _("Choose a card."),
            fix=_("Add one under Payment methods first."),
            fields={"method": [_("Choose one.")]},
        )
    back = request.host_url.rstrip("/") + "/checkout/confirm?payment=PAYMENT"
    return onward(checkout.pay_invoice(invoice_id, request.form.get("attempt", "")[:40], method_id, back))


@pages.get("/billing/methods")
def cards() -> Any:
    """The cards on file, and a form for another."""
    return _cards()


@pages.post("/billing/methods")
def add_card() -> Any:
    """Another card. The gateway's fields show their own errors; one with a card page of its own leads there."""
    return _added(request.form.to_dict())


@pages.get("/billing/methods/entered")
def card_entered() -> Any:
    """Back from the gateway's card page: it is asked what was entered, whatever the address says."""
    return _added(request.args.to_dict())


def _added(fields: dict[str, str]) -> Any:
    back = request.host_url.rstrip("/") + "/billing/methods/entered"
    try:
        added = methods.add_method(sellers.profile().currency, fields, back)
    except CardElsewhere as there:
        return lead_to(there.url)
    except ChomError as error:
        return _cards(error), error.status
    flash(_("%(card)s is saved.", card=reads.card_words(added)), "success")
    return redirect(url_for("billing.cards"), 303)


@pages.post("/billing/methods/<uuid:method_id>/default")
def default_card(method_id: UUID) -> Any:
    """Charge renewals to this card."""
    methods.make_default(method_id)
    return redirect(url_for("billing.cards"), 303)


@pages.post("/billing/methods/<uuid:method_id>/remove")
def remove_card(method_id: UUID) -> Any:
    """Forget a card."""
    methods.remove_method(method_id)
    flash(_("The card is removed."), "success")
    return redirect(url_for("billing.cards"), 303)


def _cards(error: ChomError | None = None) -> str:
    currency = sellers.profile().currency
    bound = gateways.gateway(currency)
    form = card_fields(bound, currency, error.fields if error else {})
    return render(
        "billing/methods.html", methods=methods.methods(), card=form, gateway=bound.gateway, error=error
    )


def _day(of: Any) -> str:
    from chom_core.web.formats import day

    return str(day(of.current_period_end))
