"""The pages: the month by meter, a meter by day and event, the month as a table to keep."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from flask import Response, request
from flask_babel import gettext as _

from chom_sdk import NotFound, Pages, billing, clock, csv_response, render
from chom_sdk.ui import Chart, Series

from . import service

pages = Pages("usage_billing", __name__, prefix="/usage", access="viewer")


@pages.get("/")
def index() -> str:
    month = service.month()
    start = min((one.period_start for one in month.meters), default=clock.now())
    return render(
        "usage_billing/index.html", month=month, alerts=service.alerts(start), words=service.quantity
    )


@pages.get("/meters/<name>")
def explore(name: str) -> str:
    """One meter: its days as a chart, the newest events, and what did not count."""
    meter = next((one for one in billing.meters() if one.name == name), None)
    if meter is None:
        raise NotFound(_("There is no such meter."), fix=_("Choose one on the usage page."))
    span = request.args.get("days", "30")
    days = service.days(name, int(span) if span in ("7", "30", "90") else 30)
    return render(
        "usage_billing/explore.html", meter=meter, meters=billing.meters(), days=days, chart=_chart(meter.title,
        meter.unit, days), events=billing.usage_events(meter=name, limit=20), span=span, spans=service.SPANS,
        unmatched=billing.usage_events(unmatched=True, limit=20), names=service.names(), words=service.quantity,
    )  # fmt: skip


@pages.get("/report.csv", access="billing")
def report() -> Response:
    header = (_("Day"), _("Meter"), _("Service"), _("Quantity"), _("Unit"), _("Events"), _("Cost beyond"))
    return csv_response(f"usage-{clock.now():%Y-%m}", header, service.report(service.month().meters))


def _chart(title: str, unit: str, days: list[billing.UsageDayInfo]) -> Chart:
    """All subjects of a day in one bar; days without events are empty."""
    by_day: dict[object, float] = {}
    for one in days:
        by_day[one.day] = by_day.get(one.day, 0.0) + float(one.quantity)
    first = min((one.day for one in days), default=clock.now().date())
    count = (clock.now().date() - first).days + 1
    every = [first + timedelta(days=i) for i in range(max(count, 1))]
    xs = [int(datetime.combine(day, time(), UTC).timestamp()) for day in every]
    return Chart(title, xs, [Series(_("That day"), [by_day.get(day) for day in every], "bar")], unit)
