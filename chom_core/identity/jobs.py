"""What identity tidies at night: throttles a quiet day has made void, links and sessions that ended long ago."""

from __future__ import annotations

from chom_core.identity import throttle
from chom_core.identity.service import links, login
from chom_core.work import Job, job
from chom_core.work.schedules import ScheduleSpec

PURGE = "identity.purge"
SCHEDULES = (ScheduleSpec("identity.purge", PURGE, "40 3 * * *"),)


@job(PURGE)
def purge(job: Job) -> None:
    """Delete what nobody can use any more. What was done with it stays in the audit log."""
    throttle.purge()
    links.purge()
    login.purge()
