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
