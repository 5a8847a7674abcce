"""What notes do in the background."""

from __future__ import annotations

from uuid import UUID

from chom_sdk.work import Job, job

from . import service


@job("good.look")
def look(current: Job) -> None:
    """Somebody should look at a new note; here the job does."""
    service.look(UUID(current.args["note_id"]))


@job("good.count")
def count(current: Job) -> None:
    """A note was written: the fact comes back."""
    service.look(UUID(current.event.payload["note_id"]))


@job("good.service_gone")
def service_gone(current: Job) -> None:
    """A service was deleted."""
    service.forget_service(UUID(current.event.payload["service_id"]))


@job("good.tidy")
def tidy(current: Job) -> None:
    """Once a day."""
    service.tidy()
