"""What the core runs by itself, at times."""

from __future__ import annotations

from collections.abc import Iterable

from chom_core.plugin_host import breaker
from chom_core.work import Job, ScheduleSpec, job
from chom_core.work.schedules import install

SCHEDULES = [ScheduleSpec("core.breaker_sweep", "core.breaker_sweep", "* * * * *")]


@job("core.breaker_sweep")
def breaker_sweep(current: Job) -> None:
    """Half-open tripped plugins whose wait is over."""
    breaker.sweep()


def install_core_schedules(theirs: Iterable[ScheduleSpec] = ()) -> None:
    """Make SCHEDULES and what the domains' `jobs` rooms name the whole of the core's schedules."""
    install(None, [*SCHEDULES, *theirs])
