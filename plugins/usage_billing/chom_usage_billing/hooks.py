"""What usage adds to other pages."""

from __future__ import annotations

from chom_sdk import hookimpl
from chom_sdk.ui import PageSlot, Panel

from . import service


@hookimpl
def slot_home(slot: PageSlot) -> Panel | None:
    """Allowances that are nearly used up, and the plan that would save money."""
    month = service.month()
    near = [one for one in month.meters if one.percent >= service.PERCENTS[0]]
    if not near and month.best is None:
        return None
    return Panel("usage_billing/panel.html", {"meters": near, "best": month.best, "words": service.quantity})


@hookimpl
def slot_billing_overview(slot: PageSlot) -> Panel | None:
    """What use comes to so far, the allowances that the page itself does not show, and the plan that would save."""
    month = service.month()
    if not month.meters:
        return None
    meters = [one for one in month.meters if one.meter.name != "sites"]
    facts = {"month": month, "meters": meters, "words": service.quantity}
    return Panel("usage_billing/overview.html", facts, weight=10)
