"""/staff: what needs a person today."""

from __future__ import annotations

from chom_core.console.pages.base import staff
from chom_core.console.service import extensions, organisations
from chom_core.web import render


@staff.get("/")
def today() -> str:
    """Failed work, unpaid invoices, drift, what is being built, tripped extensions; and what extensions add."""
    skipped, _available = extensions.absent()
    return render(
        "console/today.html", today=organisations.today(), tripped=extensions.tripped(), skipped=skipped
    )
