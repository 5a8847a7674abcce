"""What projects do when something happened elsewhere."""

from __future__ import annotations

from uuid import UUID

from chom_sdk.work import Job, job

from . import service


@job("projects.forget_service")
def forget_service(current: Job) -> None:
    """A service was deleted: it leaves its project."""
    service.take_out(UUID(current.event.payload["service_id"]))
