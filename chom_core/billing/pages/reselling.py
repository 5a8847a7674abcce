"""A reseller's own pages: what it agreed, each month rated twice, its part by share. Staff set the terms."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from chom_core.billing.pages.base import own_reseller, pages, reseller, save
from chom_core.billing.pages.staff import administers, desk, enter
from chom_core.billing.reads import settlement as reads
from chom_core.billing.schemas.settlement import SettlementFormSchema
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import earnings, terms
from chom_core.database import Tenant, here
from chom_core.plugin_host import NavItem
from chom_core.values.money import Money
from chom_core.web import nav, render
from chom_core.web.charts import Chart, Series
from chom_core.web.export import csv_response
from chom_core.web.forms import Form

nav.add(
    NavItem(_l("Reselling"), "billing.reselling", "building-store", "Money", "billing", 60, resellers=True)
)

#: Meters that may be pooled, whose field holds what is included, and the field of the price beyond.
_POOLS = (("storage_gb", "storage_price"), ("traffic_gb", "traffic_price"))


@pages.get("/billing/reselling")
def reselling() -> Any:
    """The month that runs, the months before with their margin; by share, what was earned."""
    own_reseller()
    return render("billing/reselling.html", **_shown())


@pages.get("/billing/reselling/<uuid:month_id>")
def reselling_month(month_id: UUID) -> Any:
    """One settled month, customer by customer; as CSV with ?format=csv."""
    own_reseller()
    month = reads.month_statement(month_id)
    meters = sorted({meter for one in month.customers for meter in one.used})
    if request.args.get("format") == "csv":
        head = [_("Customer"), _("Currency"), _("Invoiced"), *meters]
        rows = (
            [one.name, one.retail.currency, one.retail.major, *(one.used.get(meter, "") for meter in meters)]
            for one in month.customers
        )
        return csv_response(f"statement-{month.start:%Y-%m-%d}", head, rows)
    return render("billing/reselling_month.html", month=month, meters=meters)


@desk.get("/organisations/<uuid:tenant_id>/settlement")
def settlement(tenant_id: UUID) -> Any:
    """How a reseller settles, and the form that changes it."""
    customer = reseller(enter(tenant_id))
    shown = _shown()
    return _page(customer, Form(SettlementFormSchema(), _plain(shown["terms"])), shown)


@desk.post("/organisations/<uuid:tenant_id>/settlement", access="staff_admin")
def settlement_post(tenant_id: UUID) -> Any:
    """Set the terms; after the first invoice of a customer only prices change."""
    customer = reseller(enter(tenant_id))
    form = Form(SettlementFormSchema())
    saved = save(form, _choose, _("Saved: it holds for months that are not settled yet."))
    return saved or (_page(customer, form, _shown()), form.status)


def _choose(given: dict[str, Any]) -> None:
    known = reads.settlement()
    code = known.base.currency if known else sellers.profile().currency
    pool = {
        meter: {"included": str(given[meter]), "unit": str(given[price])}
        for meter, price in _POOLS
        if given[price]
    }
    terms.choose(
        given["mode"], base=_money(given["base"], code), seat=_money(given["seat"], code),
        share_percent=given["share_percent"], pool=pool,
    )  # fmt: skip


def _money(text: str, currency: str) -> Money:
    """An amount as people type it; nothing is an amount here too."""
    return Money.zero(currency) if not text.strip("0., ") else accounts.credits(text, currency)


def _plain(known: reads.SettlementInfo | None) -> dict[str, Any]:
    if known is None:
        return {
            "mode": "wholesale", "base": f"{terms.BASE.major}", "seat": f"{terms.SEAT.major}",
            "share_percent": terms.SHARE,
        }  # fmt: skip
    pool = {one.meter: one for one in known.pool}
    prices = {
        name: value
        for meter, price in _POOLS
        if meter in pool
        for name, value in ((meter, pool[meter].included), (price, pool[meter].unit))
    }
    return {
        "mode": known.mode, "base": f"{known.base.major}", "seat": f"{known.seat.major}",
        "share_percent": f"{known.share_percent.normalize():f}", **prices,
    }  # fmt: skip


def _page(customer: Tenant, form: Form, shown: dict[str, Any]) -> str:
    return render(
        "billing/staff_settlement.html", customer=customer, form=form, may_act=administers(), **shown
    )


def _shown() -> dict[str, Any]:
    """What both sides see of it."""
    known, months = reads.settlement(), reads.month_statements()
    shown: dict[str, Any] = {
        "terms": known,
        "months": months,
        "seats": reads.seats(),
        "chart": _chart(months),
        "payouts": reads.handed(),
    }
    if known is not None and known.mode == "share":
        shown |= {"parts": reads.parts(), "owed": earnings.payable(str(here()), "reseller")}
    return shown


def _chart(months: list[reads.MonthStatement]) -> Chart | None:
    """Both sums, month by month; from the second month on."""
    rows = [one for one in reversed(months) if one.retail.currency == months[0].retail.currency]
    if len(rows) < 2:
        return None
    return Chart(
        _("Invoiced to customers, and paid to the platform"),
        [one.start.timestamp() for one in rows],
        [
            Series(_("Invoiced"), [float(one.retail.major) for one in rows], "bar"),
            Series(_("Paid to the platform"), [float(one.wholesale.major) for one in rows], "line", "warn"),
        ],
        unit=months[0].retail.currency,
    )
