"""The daily check, and the one after each use of credit."""

from __future__ import annotations

from chom_sdk.work import Job, job

from . import charging, service


@job(service.CHECK, timeout=120, attempts=20)
def check(current: Job) -> None:
    """Top up where credit is low. A gateway that does not answer is asked again, with the same key."""
    charging.check()
