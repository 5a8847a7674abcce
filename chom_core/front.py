"""The public home of an installation, `/`: what is sold here, from how much, and the way in."""

from __future__ import annotations

from typing import Any

from flask import current_app, g, request
from flask_babel import gettext as _
from werkzeug.local import LocalProxy

from chom_core.billing.reads import Offer, offers
from chom_core.values.billing import PlanShape
from chom_core.values.errors import Unavailable
from chom_core.values.period import BillingPeriod
from chom_core.web import Pages, render
from chom_core.web.layout import NavEntry

front = Pages("front", "chom_core", access="public")


@front.get("/")
def home() -> str:
    """The front page. Where nothing is for sale yet it says so to the operator rather than show an empty shelf."""
    return render("front.html", plans=_plans(), app_url="/home" if "person" in g else "")


def _plans() -> list[Offer]:
    try:
        return offers(BillingPeriod.MONTHLY, shape=PlanShape.HOSTING)
    except Unavailable:
        return []


@front.app_context_processor
def public_nav() -> dict[str, Any]:
    """The links on top of public pages."""
    return {"public_nav": LocalProxy(_public_nav)}  # the pages of the app show none of it


def _public_nav() -> tuple[NavEntry, ...]:
    entries = [NavEntry(_("Prices"), "/prices", active=_here("/prices"))]
    if "demo.index" in current_app.view_functions:
        entries.append(NavEntry(_("Enter as …"), "/demo", active=_here("/demo")))
    return tuple(entries)


def _here(path: str) -> bool:
    return request.path == path
