"""The operator's catalogue: plans with every version of their prices, coupons with their codes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from marshmallow import Schema
from sqlalchemy import select

from chom_core.audit.service import Subject, record
from chom_core.billing.jobs.changes import REPRICE
from chom_core.billing.models import Plan, Subscription, SubscriptionItem
from chom_core.billing.pages.base import period_words
from chom_core.billing.pages.staff import desk
from chom_core.billing.reads import catalogue as reads
from chom_core.billing.rules.coupons import Duration
from chom_core.billing.schemas.catalogue import (
    CouponFormSchema,
    LimitsFormSchema,
    PriceFormSchema,
    UsagePriceFormSchema,
)
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.offers import coupons, limits, versions
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import PLATFORM_ID, bind_tenant, everyone, session
from chom_core.plugin_host import NavItem
from chom_core.values.errors import ChomError, Invalid, NotFound
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod
from chom_core.web import nav, render
from chom_core.web.forms import Form
from chom_core.work import enqueue

nav.add(
    NavItem(_l("Catalogue"), "billing_staff.catalogue", "package", "Staff", "staff", 38),
    NavItem(_l("Coupons"), "billing_staff.coupon_desk", "tag", "Staff", "staff", 39),
)


@desk.get("/catalogue")
def catalogue() -> Any:
    """Every plan of the platform, who holds it, what it costs now."""
    bind_tenant(PLATFORM_ID)
    plans = session().scalars(
        select(Plan).where(Plan.reseller_id == PLATFORM_ID).order_by(Plan.position, Plan.code)
    ).all()  # fmt: skip
    shown = [reads.plan_details(plan) for plan in plans]
    with everyone("staff: catalogue") as here:
        held = reads.holders(here, [plan.id for plan in shown])
    return render("billing/staff_catalogue.html", plans=shown, held=held)


@desk.get("/catalogue/<code>")
def catalogue_plan(code: str) -> Any:
    """One plan: its policies, every version of its prices, and forms for the next ones."""
    bind_tenant(PLATFORM_ID)
    return _plan_page(_plan(code))


@desk.post("/catalogue/<code>/prices", access="staff_admin")
def new_price(code: str) -> Any:
    """A new version of a price. Who has the plan keeps the old one."""

    def save(plan: Plan, values: dict[str, Any]) -> None:
        versions.set_price(
            plan, _money(values["amount"], values["currency"]), BillingPeriod(values["period"]),
            effective_from=_midnight(values["effective_from"]),
        )  # fmt: skip
        record("catalogue.priced", Subject("plan", plan.id, plan.title), after=_plain(values))

    said = _("The new price is set. Who has the plan keeps the old one.")
    return _change(code, PriceFormSchema(), "price", save, said)


@desk.post("/catalogue/<code>/usage", access="staff_admin")
def new_usage_price(code: str) -> Any:
    """A new version of what one more unit costs."""

    def save(plan: Plan, values: dict[str, Any]) -> None:
        tiers = versions.per_unit(str(values["unit"]).replace(",", "."))
        included = versions.number(values["included"])
        versions.set_usage_price(plan, values["meter"], values["currency"], tiers, included=included)
        record("catalogue.priced", Subject("plan", plan.id, plan.title), after=_plain(values))

    said = _("The new price of use is set. Who has the plan keeps the old one.")
    return _change(code, UsagePriceFormSchema(), "usage", save, said)


@desk.post("/catalogue/<code>/limits", access="staff_admin")
def usage_limits(code: str) -> Any:
    """Where use is billed before the month is over, for everybody who has the plan."""

    def save(plan: Plan, values: dict[str, Any]) -> None:
        currency = values["currency"]
        amounts = [_money(text, currency, "limits") for text in values["limits"].split()]
        every = _money(values["every"], currency, "every") if values["every"] else None
        limits.set_limits(plan, currency, amounts, every)

    return _change(code, LimitsFormSchema(), "early", save, _("Saved. It counts from the next hour on."))


@desk.post("/catalogue/<code>/switch", access="staff_admin")
def switch_plan(code: str) -> Any:
    """Sell it, or stop selling it. Who has it keeps it."""
    bind_tenant(PLATFORM_ID)
    plan = _plan(code)
    plan.active = not plan.active
    session().flush()
    record("catalogue.switched", Subject("plan", plan.id, plan.title), after={"active": plan.active})
    flash(
        _("It is for sale.") if plan.active else _("It is not for sale any more. Who has it keeps it."),
        "success",
    )
    return redirect(url_for("billing_staff.catalogue_plan", code=code), 303)


@desk.post("/catalogue/<code>/reprice", access="staff_admin")
def reprice(code: str) -> Any:
    """Everybody who has the plan pays today's prices from the next renewal on."""
    bind_tenant(PLATFORM_ID)
    plan = _plan(code)
    query = (
        select(SubscriptionItem.tenant_id)
        .join(Subscription, Subscription.id == SubscriptionItem.subscription_id)
        .where(SubscriptionItem.plan_id == plan.id, Subscription.status.in_(subscriptions.KEPT))
    )
    with everyone("staff: move a plan to today's prices") as here:
        tenants = sorted(set(here.scalars(query)))
    for tenant_id in tenants:
        enqueue(REPRICE, {"plan_id": str(plan.id)}, tenant_id=tenant_id)
    record("catalogue.repriced", Subject("plan", plan.id, plan.title), after={"organisations": len(tenants)})
    flash(
        _("%(count)s organisations pay today's prices from their next renewal on.", count=len(tenants)),
        "success",
    )
    return redirect(url_for("billing_staff.catalogue_plan", code=code), 303)


@desk.get("/coupons")
def coupon_desk() -> Any:
    """Every coupon with its codes, and a form for another."""
    bind_tenant(PLATFORM_ID)
    return _coupon_page()


@desk.post("/coupons", access="staff_admin")
def new_coupon() -> Any:
    """Another coupon, with its first code."""
    bind_tenant(PLATFORM_ID)
    form = Form(CouponFormSchema()).parse(request.form)
    if not form.ok:
        return _coupon_page(form), form.status
    values = form.values
    currency = sellers.seller().currency
    try:
        with session().begin_nested():
            made = coupons.make(
                values["name"],
                percent=values["percent"],
                amount=_money(values["amount"], currency) if values["amount"] else None,
                duration=Duration(values["duration"]),
                repeats=values["repeats"],
                plans=[one.strip() for one in values["plans"].split(",") if one.strip()],
                stacks=values["stacks"],
                max_redemptions=values["max_redemptions"],
                per_customer=values["per_customer"],
                expires_at=_midnight(values["expires_on"], days=1),
            )
            if values["code"]:
                coupons.add_code(made.id, values["code"])
    except ChomError as error:
        return _coupon_page(form.refuse(error)), error.status
    flash(_("The coupon is made."), "success")
    return redirect(url_for("billing_staff.coupon_desk"), 303)


@desk.post("/coupons/<uuid:coupon_id>/codes", access="staff_admin")
def new_code(coupon_id: UUID) -> Any:
    """Another word for the coupon."""
    bind_tenant(PLATFORM_ID)
    made = coupons.add_code(coupon_id, request.form.get("code", ""))
    flash(_("%(code)s redeems it now.", code=made.code), "success")
    return redirect(url_for("billing_staff.coupon_desk"), 303)


@desk.post("/coupons/<uuid:coupon_id>/retire", access="staff_admin")
def retire_coupon(coupon_id: UUID) -> Any:
    """Nobody redeems it any more. Who has it keeps it."""
    bind_tenant(PLATFORM_ID)
    coupons.retire(coupon_id)
    flash(_("Nobody can redeem it any more. Who has it keeps it."), "success")
    return redirect(url_for("billing_staff.coupon_desk"), 303)


def _change(
    code: str, schema: Schema, name: str, save: Callable[[Plan, dict[str, Any]], None], said: str
) -> Any:
    """One of the forms of a plan's page, which it calls `name`: saved, or shown again with what is wrong."""
    bind_tenant(PLATFORM_ID)
    plan, form = _plan(code), Form(schema).parse(request.form)
    if not form.ok:
        return _plan_page(plan, **{name: form}), form.status
    try:
        save(plan, form.values)
    except ChomError as error:
        return _plan_page(plan, **{name: form.refuse(error)}), error.status
    flash(said, "success")
    return redirect(url_for("billing_staff.catalogue_plan", code=code), 303)


def _plan(code: str) -> Plan:
    found = session().scalar(select(Plan).where(Plan.reseller_id == PLATFORM_ID, Plan.code == code))
    if found is None:
        raise NotFound(_("There is no such plan."), fix=_("Look at the catalogue."))
    return found


def _plan_page(
    plan: Plan, *, price: Form | None = None, usage: Form | None = None, early: Form | None = None
) -> str:
    session().refresh(plan)
    shown = reads.plan_details(plan)
    with everyone("staff: catalogue") as here:
        held = reads.holders(here, [plan.id]).get(plan.id, 0)
    currency = {"currency": sellers.seller().currency}
    return render(
        "billing/staff_plan.html",
        plan=shown,
        held=held,
        price=price or Form(PriceFormSchema(), currency),
        usage=usage or Form(UsagePriceFormSchema(), currency),
        early=early or Form(LimitsFormSchema(), currency | _limits(plan, currency["currency"])),
        words=lambda period: period_words(BillingPeriod(period)),
    )


def _limits(plan: Plan, currency: str) -> dict[str, str]:
    """A plan's limits as the form takes them."""
    known = limits.of_plan(plan, currency)
    return {
        "limits": " ".join(str(one.major) for one in known.amounts),
        "every": str(known.every.major) if known.every else "",
    }


def _coupon_page(form: Form | None = None) -> str:
    return render(
        "billing/staff_coupons.html",
        coupons=reads.coupon_list(PLATFORM_ID),
        form=form or Form(CouponFormSchema()),
    )


def _money(text: str, currency: str, field: str = "amount") -> Money:
    try:
        return Money.of(text.replace(",", "."), currency)
    except ValueError:
        raise Invalid(
            _("That is no amount in %(currency)s.", currency=currency),
            fields={field: [_("An amount such as 79.00.")]},
        ) from None


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    return datetime.combine(day + timedelta(days=days), time(), UTC) if day else None


def _plain(values: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}
