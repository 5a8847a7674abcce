"""The tax report: what was taxed where in a quarter, proven by the ledger; each document as CSV, for the tax return."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, request
from flask_babel import gettext as _

from chom_core.billing.pages.base import day_of, own_reseller, pages
from chom_core.billing.pages.staff import desk
from chom_core.billing.reads import tax_reports, taxed
from chom_core.billing.service.invoicing import sellers
from chom_core.database import PLATFORM_ID, Tenant, bind_tenant, clock, here, session
from chom_core.values.errors import Invalid
from chom_core.web import render
from chom_core.web.export import csv_response


@desk.get("/tax/report", access="staff_admin")
def tax_report() -> Any:
    """What the platform has to pay to tax offices."""
    bind_tenant(PLATFORM_ID)
    return _report()


@pages.get("/billing/reselling/tax-report", endpoint="reselling_tax_report")
def own_tax_report() -> Any:
    """What the reseller has to pay to tax offices."""
    own_reseller()
    return _report()


def _report() -> Any:
    try:
        span = tax_reports.span_of(day_of("from"), day_of("to"))
    except Invalid as wrong:
        flash(f"{wrong.detail} {wrong.fix}".strip(), "error")
        span = tax_reports.span_of(None, None)
    found = tax_reports.collect(span)
    zone = ZoneInfo(session().get_one(Tenant, here()).zone)
    first = span.start.astimezone(zone).date()
    last = span.end.astimezone(zone).date() - timedelta(days=1)
    if request.args.get("format") == "csv":
        return csv_response(f"tax-{first}-{last}", _head(), [_row(one, zone) for one in found.documents])
    return render(
        "billing/tax_report.html", report=taxed.report(span, found.documents, found.ledger), first=first, last=last,
        quarters=_quarters(zone, (first, last)), resells=here() != PLATFORM_ID, decides=sellers.decides(),
    )  # fmt: skip


def _quarters(zone: ZoneInfo, shown: tuple[date, date]) -> list[tuple[str, date, date, bool]]:
    """The quarter that runs and the four before: how each is called, its days, and whether it is shown."""
    today, found = clock.now().astimezone(zone).date(), []
    for by in range(0, -5, -1):
        days = first, last = tax_reports.quarter(today, by)
        found.append((f"Q{(first.month + 2) // 3} {first.year}", first, last, days == shown))
    return found


def _head() -> list[str]:
    return [
        _("Document"), _("Number"), _("Date"), _("Customer"), _("Country"), _("Region"), _("VAT number"), _("Tax"),
        _("Rate, percent"), _("Note"), _("Currency"), _("Net"), _("Tax amount"),
    ]  # fmt: skip


def _row(one: taxed.Taxed, zone: ZoneInfo) -> Sequence[Any]:
    kinds = {"invoice": _("Invoice"), "void": _("Voided invoice"), "credit_note": _("Credit note")}
    return [
        kinds[one.kind], one.number, one.at.astimezone(zone).date(), one.customer, one.country, one.region, one.vat_id,
        one.title, one.rate, one.note, one.net.currency, one.net.major, one.tax.major,
    ]  # fmt: skip
