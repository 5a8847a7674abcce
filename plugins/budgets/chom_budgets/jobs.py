"""The look every four hours, and the one after each invoice."""

from __future__ import annotations

from chom_sdk.work import Job, job

from . import holding, service


@job(service.LOOK, timeout=60, attempts=10)
def look(current: Job) -> None:
    """Alerts, and what was chosen for 100 %."""
    holding.look()
