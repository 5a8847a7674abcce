"""How bills are counted: the rules on rounding, tax, gigabytes, credit and refunds, for everybody to read."""

from __future__ import annotations

from typing import Any

from chom_core.billing.pages.base import pages
from chom_core.web import render


@pages.get("/prices/rules", access="public")
def rules() -> Any:
    """The rules every preview, estimate and invoice follows."""
    return render("billing/rules.html")
