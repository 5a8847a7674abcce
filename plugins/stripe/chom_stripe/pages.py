"""Staff: the connection, webhooks, differences. Organisations: their payout account."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _

from chom_sdk import Pages, away, billing, organisation_id, render
from chom_sdk.billing import Onboarding, Payee
from chom_sdk.work import outside
from chom_stripe import differences as found
from chom_stripe import keys, service
from chom_stripe.payouts import StripePayouts
from chom_stripe.sandbox_pages import desk

pages = Pages("stripe", __name__, prefix="/stripe")

__all__ = ["desk", "pages"]


@pages.get("/", access="staff")
def overview() -> Any:
    """How the connection stands, disputes, and the way to the rest."""
    return render("stripe/overview.html", state=service.state())


@pages.get("/webhooks", access="staff")
def webhooks() -> Any:
    """What Stripe told, and what came of it."""
    return render("stripe/webhooks.html", events=service.events())


@pages.get("/differences", access="staff")
def differences() -> Any:
    """Where our books and Stripe's differ."""
    return render("stripe/differences.html", differences=found.listed(open_only=False))


@pages.post("/differences", access="staff_admin")
def compare() -> Any:
    """Compare now, not tonight."""
    service.reconcile_now()
    flash(_("The comparison is on its way. Reload this page in a moment."), "info")
    return redirect(url_for("stripe.differences"), 303)


@pages.get("/account", access="billing")
def account() -> Any:
    """The organisation's payout account: ready, or what is missing; of a reseller, what its customers paid."""
    sells = billing.sells_itself()
    return render(
        "stripe/account.html",
        accounts=service.accounts(),
        mode=keys.read().mode,
        sells=sells,
        collected=billing.collected() if sells else [],
    )


@pages.post("/account", access="owner")
def onboard() -> Any:
    """On to Stripe's own page, where the account is opened or completed."""
    payee = Payee(str(organisation_id()), organisation_id())
    sells = billing.sells_itself()
    back = request.host_url.rstrip("/") + url_for("stripe.account")
    url = outside(StripePayouts(keys.read()).onboard, Onboarding(payee, back, sells=sells))
    return redirect(url, 303) if url.startswith("/") else away(url)
