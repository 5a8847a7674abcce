"""The daily check, and the one after each use of credit."""

from __future__ import annotations

from datetime import datetime

from chom_sdk import clock
from chom_sdk.work import Job, job, looks_ahead

from . import charging, service


@job(service.CHECK, timeout=120, attempts=20)
def check(current: Job) -> None:
    """Top up where credit is low. A gateway that does not answer is asked again, with the same key."""
    charging.check()


@job(service.STOP)
def stop(current: Job) -> None:
    """A payment is disputed."""
    charging.stop(current.args["event"]["subject"])


@looks_ahead(service.CHECK)
def next_check() -> datetime | None:
    """A day without a rule has nothing to check: a test clock passes it."""
    found = service.rule()
    return clock.now() if found is not None and found.enabled else None
