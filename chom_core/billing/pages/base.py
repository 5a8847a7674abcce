"""What billing's pages share: the blueprint, the words for prices, and where a purchase leads next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from chom_core.billing.service.buying import checkout as verbs
from chom_core.billing.service.buying.checkout import Outcome
from chom_core.billing.service.paying.gateways import Bound
from chom_core.database import Tenant, here, session
from chom_core.rest import organisation_id
from chom_core.values.billing import PlanShape
from chom_core.values.errors import ChomError, NotFound
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod
from chom_core.web import Pages, away, render
from chom_core.web.forms import Form

pages = Pages("billing", "chom_core.billing", access="billing")


def save(form: Form, verb: Callable[[dict[str, Any]], object], said: str) -> Any:
    """Give `verb` what was typed. The way back to the form where it took it, else None: the form says what is wrong."""
    if not form.parse(request.form).ok:
        return None
    try:
        verb(form.values)
    except ChomError as error:
        session().rollback()
        form.refuse(error)
        return None
    flash(said, "success")
    return redirect(request.path, 303)


def reseller(tenant: Tenant) -> Tenant:
    """The organisation, if it is a reseller."""
    if tenant.kind != "reseller":
        raise NotFound(_("This organisation is no reseller."))
    return tenant


def own_reseller() -> Tenant:
    """The current organisation, if it is one."""
    return reseller(session().get_one(Tenant, here()))


def period_of(text: str) -> BillingPeriod:
    """The period in a query string; monthly where it names none."""
    return BillingPeriod(text) if text in list(BillingPeriod) else BillingPeriod.MONTHLY


def day_of(name: str) -> date | None:
    """The day that the query string names so; None where it names none."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def per(period: BillingPeriod) -> str:
    """«/month»."""
    return {
        BillingPeriod.MONTHLY: _("/month"),
        BillingPeriod.QUARTERLY: _("/quarter"),
        BillingPeriod.ANNUAL: _("/year"),
        BillingPeriod.BIENNIAL: _("/2 years"),
    }[period]


def allowance_words(metric: str, count: int, beyond: Money | None) -> str:
    """«25 sites; past that: $4.00/site»."""
    names = {
        "sites": (_("%(count)s sites", count=count), _("site")),
        "storage_gb": (_("%(count)s GB storage", count=count), _("GB")),
        "traffic_gb": (_("%(count)s GB traffic a month", count=count), _("GB")),
    }
    words, one = names.get(metric, (f"{count} {metric}", metric))
    if beyond is None or not beyond.amount:
        return str(words)
    return str(_("%(words)s; past that: %(price)s/%(one)s", words=words, price=beyond.format(), one=one))


def period_words(period: BillingPeriod) -> str:
    return {
        BillingPeriod.MONTHLY: _("Monthly"),
        BillingPeriod.QUARTERLY: _("Quarterly"),
        BillingPeriod.ANNUAL: _("Yearly"),
        BillingPeriod.BIENNIAL: _("Two years"),
    }[period]


def lead_to(url: str) -> Any:
    """On to the gateway's page after a form: a path of ours, or another host."""
    return redirect(url, 303) if url.startswith("/") else away(url)


def onward(outcome: Outcome) -> Any:
    """The redirect that a purchase or payment leads to, with the words for it."""
    if outcome.state == "action":
        return lead_to(outcome.url)
    if outcome.state == "declined":
        flash(f"{outcome.message} {_('Nothing was charged.')} {outcome.fix}", "error")
    elif outcome.state == "failed":
        flash(
            f"{outcome.message or _('This did not work out.')} {_('Nothing was charged.')} {outcome.fix}",
            "error",
        )
    elif outcome.state == "pending":
        flash(_("The payment is on its way. This page shows it as soon as the bank has answered."), "info")
    if outcome.checkout_id is None:
        if outcome.state == "done":
            flash(_("Paid. Thank you."), "success")
        return redirect(url_for("billing.invoice", invoice_id=outcome.invoice_id), 303)
    return _after_purchase(outcome)


def _after_purchase(outcome: Outcome) -> Any:
    assert outcome.checkout_id is not None
    bought = verbs.checkout(outcome.checkout_id)
    if outcome.state in ("declined", "failed"):
        again = url_for("billing.checkout", plan=bought.plan_code, period=bought.billing_period)
        return redirect(again, 303)
    if outcome.service_id is not None:
        if outcome.state == "building":
            flash(_("The amount is held on your card, and charged only when your site stands."), "info")
        return redirect(f"/services/{outcome.service_id}", 303)
    if outcome.state == "done":
        flash(_("Your plan is active. Create your first site now."), "success")
        return redirect("/services/new", 303)
    return redirect(url_for("billing.overview"), 303)


def card_fields(bound: Bound, currency: str, errors: Mapping[str, list[str]] | None = None) -> Markup:
    """The gateway's own fields, drawn from its own template; what was typed is never sent back."""
    form = bound.card_form(organisation_id(), currency, errors)
    return Markup(render(form.template, **form.context))  # noqa: S704 (a rendered template)


def is_service(shape: str) -> bool:
    return shape == PlanShape.SERVICE.value
