"""The work floor: facts (`emit`), jobs with leases (`@job`, `enqueue`), schedules, workers, test clocks.

SQL says whether there is work and whether it is done; Redis only wakes.
"""

from chom_core.work.events import Subscription, emit, subscribe
from chom_core.work.handlers import EventFact, GiveUp, Job, job, on
from chom_core.work.jobs import enqueue, retry
from chom_core.work.models import Event, EventHandlerRow, JobRow, PluginState, ScheduleRow
from chom_core.work.runner import current_job, outside, run_all
from chom_core.work.schedules import ScheduleSpec, looks_ahead
from chom_core.work.testclock import advance, stand

__all__ = [
    "Event",
    "EventFact",
    "EventHandlerRow",
    "GiveUp",
    "Job",
    "JobRow",
    "PluginState",
    "ScheduleRow",
    "ScheduleSpec",
    "Subscription",
    "advance",
    "current_job",
    "emit",
    "enqueue",
    "job",
    "looks_ahead",
    "on",
    "outside",
    "retry",
    "run_all",
    "run_scheduler",
    "run_worker",
    "stand",
    "subscribe",
]


def run_worker(pools: list[str]) -> None:
    """The worker processes of `pools`, until SIGTERM; see worker.py."""
    from chom_core.work.worker import run_worker as run  # RQ is loaded by workers only

    run(pools)


def run_scheduler(stop: object) -> None:
    """The scheduler, until `stop` is set; see scheduler.py."""
    from chom_core.work.scheduler import run_scheduler as run

    run(stop)  # type: ignore[arg-type]
