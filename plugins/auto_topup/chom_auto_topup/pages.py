"""The page of auto top-up: the rule, how credit stands, and the history."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from chom_sdk import Conflict, Invalid, Money, Pages, billing, render
from chom_sdk.ui import Form

from . import service
from .models import Rule
from .schemas import RuleIn

pages = Pages("auto_topup", __name__, prefix="/auto-top-up", access="billing")
Answer = str | tuple[str, int] | AnyResponse


@pages.get("/")
def index() -> str:
    return _page(_form(service.rule()))


@pages.post("/")
def save() -> Answer:
    form = _form(service.rule()).parse(request.form)
    if form.ok:
        try:
            service.save(form.values)
        except Invalid as error:
            form.refuse(error)
        else:
            flash(_("Saved. Your credit is looked at now."), "success")
            return redirect(url_for(".index"), 303)
    return _page(form), form.status


@pages.post("/resume")
def resume() -> AnyResponse:
    try:
        service.resume()
        flash(_("Your credit is looked at now, and the card asked again where it is low."), "success")
    except Conflict as error:
        flash(error.detail, "info")
    return redirect(url_for(".index"), 303)


def _form(of: Rule | None) -> Form:
    choices = {"method_id": [(card.id, card.words) for card in billing.cards()]}
    return Form(RuleIn(), values(of), choices=choices)


def values(of: Rule | None) -> dict[str, Any] | None:
    """The rule as its schema writes it, in major units."""
    if of is None:
        return None
    return {
        "enabled": of.enabled,
        "threshold": Money(of.threshold, of.currency).major,
        "amount": Money(of.amount, of.currency).major,
        "cap": None if of.cap is None else Money(of.cap, of.currency).major,
        "method_id": of.method_id,
    }


def _page(form: Form) -> str:
    history = [(one, Money(one.amount, one.currency)) for one in service.history()]
    return render(
        "auto_topup/index.html", form=form, now=service.standing(), history=history, cards=billing.cards()
    )
