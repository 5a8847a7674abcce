"""The look every four hours, and the one after each invoice."""

from __future__ import annotations

from datetime import datetime

from chom_sdk import clock
from chom_sdk.work import Job, job, looks_ahead

from . import holding, service


@job(service.LOOK, timeout=60, attempts=10)
def look(current: Job) -> None:
    """Alerts, and what was chosen for 100 %."""
    holding.look()


@looks_ahead(service.LOOK)
def next_look() -> datetime | None:
    """Without a budget there is nothing to look at: a test clock passes it. One that is made is looked at then."""
    return clock.now() if service.budgets() else None
