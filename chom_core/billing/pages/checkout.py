"""Prices and the checkout."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _

from chom_core.billing import reads, schemas
from chom_core.billing.pages.base import (
    allowance_words,
    card_fields,
    is_service,
    lead_to,
    onward,
    pages,
    per,
    period_of,
    period_words,
)
from chom_core.billing.service.buying import checkout as verbs
from chom_core.billing.service.buying.checkout import Outcome
from chom_core.billing.service.buying.purchases import Click
from chom_core.billing.service.credit import grants
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.offers import catalogue, coupons, trials
from chom_core.billing.service.paying import gateways, methods
from chom_core.rest import principal
from chom_core.values.access import Access
from chom_core.values.billing import Bill, CardElsewhere, Order, PlanShape
from chom_core.values.errors import ChomError, Invalid, NotFound
from chom_core.values.ids import parse_uuid
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod
from chom_core.web import render
from chom_core.web.forms import FORM, Form

MAY_BUY = Access("billing")


@pages.get("/prices", access="public")
def prices() -> Any:
    """Every plan, with a switch between billing periods and what each saves."""
    period = period_of(request.args.get("period", ""))
    every = {one: reads.offers(one) for one in BillingPeriod}
    shown = every[period]
    switch = [
        (period_words(one), f"/prices?period={one.value}", one is period,
         f"−{int(one.discount * 100)} %" if one.discount else "")
        for one in BillingPeriod
    ]  # fmt: skip
    return render(
        "billing/prices.html",
        hosting=[offer for offer in shown if offer.shape == PlanShape.HOSTING.value],
        services=[offer for offer in shown if offer.shape == PlanShape.SERVICE.value],
        yearly={offer.code: offer for offer in every[BillingPeriod.ANNUAL]},
        switch=switch,
        per=per(period),
        period=period,
        allowance_words=allowance_words,
    )


@pages.get("/checkout/<plan>", access="public")
def checkout(plan: str) -> Any:
    """The checkout: who pays, what exactly, with which card. Without a login it leads to sign-up and back."""
    period = period_of(request.args.get("period", ""))
    if principal().tenant_id is None:
        offer = next((one for one in reads.offers(period) if one.code == plan), None)
        if offer is None:
            raise NotFound(
                _("There is no plan «%(code)s» for sale.", code=plan[:60]),
                fix=_("Choose one on the prices page."),
            )
        here = request.full_path.rstrip("?")
        return render("billing/checkout_visitor.html", offer=offer, per=per(period), here=here)
    MAY_BUY.check(principal())
    return _page(plan, period, _form(plan))


@pages.post("/checkout/<plan>")
def pay(plan: str) -> Any:
    """Pay pressed. Errors come back in place; nothing is charged then."""
    period = period_of(request.form.get("period", ""))
    form = _form(plan).parse(request.form)
    if not form.ok:
        return _page(plan, period, form), form.status
    try:
        outcome = _pressed(plan, period, form)
    except CardElsewhere as there:
        return lead_to(there.url)
    except ChomError as error:
        return _page(plan, period, form.refuse(error), errors=error.fields), error.status
    if outcome.state == "declined":
        form.errors.setdefault(FORM, []).append(
            f"{outcome.message} {_('Nothing was charged.')} {outcome.fix}"
        )
        return _page(plan, period, form, checkout_id=outcome.checkout_id), 402
    return onward(outcome)


@pages.get("/checkout/confirm")
def confirm() -> Any:
    """Back from the second step: the gateway is asked, whatever the address says."""
    payment_id = parse_uuid(request.args.get("payment", ""))
    if payment_id is None:
        raise NotFound(_("There is no such payment."))
    return onward(verbs.confirm(payment_id))


@pages.get("/checkout/<plan>/card")
def card_page(plan: str) -> Any:
    """Back from the gateway's card page: the card is on file, and the button is still to be pressed."""
    kept: dict[str, Any] = {
        name: request.args.get(name, "") for name in ("period", "service_name", "checkout", "promotion_code")
    }
    fields = {name: value for name, value in request.args.items() if name not in kept}
    try:
        method = methods.add_method(sellers.profile().currency, fields)
    except ChomError as error:
        flash(f"{error.detail} {error.fix}".strip(), "error")
        return redirect(url_for("billing.checkout", plan=plan, **kept), 303)
    flash(_("Your card is saved. Check the amount and press Pay."), "success")
    return redirect(url_for("billing.checkout", plan=plan, method=method.id, **kept), 303)


def _form(plan: str) -> Form:
    """Billing details as they are stored; a service plan also asks for the service's name."""
    needs_name = is_service(catalogue.plan(plan).shape)
    schema = schemas.ServiceDetailsSchema() if needs_name else schemas.BillingDetailsSchema()
    profile = sellers.profile()
    known = {name: getattr(profile, name) for name in sellers.PROFILE_FIELDS}
    return Form(schema, known | {"service_name": request.args.get("service_name", "")})


def _pressed(plan: str, period: BillingPeriod, form: Form) -> Outcome:
    details = dict(form.values)
    name = details.pop("service_name", "")
    sellers.update_profile(details)
    currency = sellers.profile().currency
    method_id = parse_uuid(request.form.get("method", ""))
    host, bought = (
        request.host_url.rstrip("/"),
        parse_uuid(request.form.get("checkout", "")) or verbs.new_id(),
    )
    click = Click(
        checkout_id=bought,
        attempt=request.form.get("attempt", "")[:40] or verbs.new_id().hex,
        expected=Money(_whole(request.form.get("expected", "")), currency),
        card=None if method_id else request.form.to_dict(),
        method_id=method_id,
        return_url=host + "/checkout/confirm?payment=PAYMENT",
        card_url=host
        + url_for(
            "billing.card_page",
            plan=plan,
            period=period.value,
            service_name=name,
            checkout=bought,
            promotion_code=_code(),
        ),
    )
    return verbs.buy(Order(plan, period, currency, 1, name, _code()), click)


def _code() -> str:
    """The promotion code that was entered."""
    return coupons.normal(request.values.get("promotion_code", ""))[: coupons.CODE]


def _bill(order: Order) -> tuple[Bill, str, str]:
    """The bill, the code that counts towards it, and why one that was entered does not."""
    if not order.promotion_code:
        return verbs.preview(order), "", ""
    try:
        return verbs.preview(order), order.promotion_code, ""
    except Invalid as wrong:
        if "promotion_code" not in wrong.fields:
            raise
        return verbs.preview(replace(order, promotion_code="")), "", wrong.detail


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 16 else -1


def _page(
    plan: str,
    period: BillingPeriod,
    form: Form,
    *,
    errors: dict[str, list[str]] | None = None,
    checkout_id: UUID | None = None,
) -> str:
    """The page with the exact amount. A new attempt number each time: pressing twice is one, trying again another."""
    found = catalogue.plan(plan)
    currency = sellers.profile().currency
    offer = reads.offer(found, period, currency)
    bill, code, code_error = _bill(Order(plan, period, currency, 1, "", _code()))
    card = gateways.gateway(currency)
    kept = checkout_id or parse_uuid(request.values.get("checkout", "")) or verbs.new_id()
    return render(
        "billing/checkout.html",
        offer=offer,
        bill=bill,
        credit=grants.would_pay(bill, sellers.seller().id),
        code=code,
        code_error=code_error,
        code_entered=_code(),
        trial_days=found.trial_days if not trials.consumed() else 0,
        form=form,
        methods=methods.usable_methods(),
        chosen=request.values.get("method", ""),
        gateway=card.gateway,
        card=card_fields(card, currency, errors),
        checkout_id=kept,
        attempt=verbs.new_id().hex,
        period=period,
        per=per(period),
        periods=[
            (period_words(p), f"/checkout/{plan}?period={p.value}", p is period, "") for p in BillingPeriod
        ],
        held=is_service(found.shape),
    )
