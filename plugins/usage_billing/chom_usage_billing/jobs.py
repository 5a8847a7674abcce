"""The hourly look at allowances."""

from __future__ import annotations

from chom_sdk.work import Job, job

from . import service


@job("usage_billing.look", timeout=60)
def look(current: Job) -> None:
    """Alerts at 80, 90 and 100 %, each once a month."""
    service.look()
