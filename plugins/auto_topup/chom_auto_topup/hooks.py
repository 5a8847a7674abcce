"""What auto top-up adds to other pages."""

from __future__ import annotations

from chom_sdk import hookimpl
from chom_sdk.ui import PageSlot, Panel

from . import service


@hookimpl
def slot_billing_overview(slot: PageSlot) -> Panel | None:
    """The rule in a sentence, and what needs a person."""
    return Panel("auto_topup/billing_panel.html", {"now": service.standing()})
