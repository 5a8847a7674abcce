"""Usage: what the core counts itself, what was unmatched and matches now, months that are over, limits reached."""

from __future__ import annotations

from chom_core.billing.service import usage
from chom_core.billing.service.usage import gathering, invoices, returns
from chom_core.work import Job, ScheduleSpec, job, on

usage.install()

GATHER, BILL, LIMITS = "billing.gather_usage", "billing.bill_usage", "billing.usage_limits"
#: A change of the sites is also read when it happens.
SCHEDULES = (
    ScheduleSpec("billing-gather-usage", GATHER, "50 */6 * * *", per="tenant"),
    ScheduleSpec("billing-bill-usage", BILL, "35 1 * * *", per="tenant"),
    ScheduleSpec("billing-usage-limits", LIMITS, "15 * * * *", per="tenant"),
)


@job(GATHER, timeout=120)
def gather(task: Job) -> None:
    """Read levels; count what could not be counted when it came."""
    gathering.gather()
    usage.rematch()


@job(BILL, timeout=300)
def bill(task: Job) -> None:
    """Months of use that are over while the plan's own period goes on; what came late for subscriptions that have
    ended; what earlier months billed too much."""
    invoices.bill_months()
    invoices.bill_late()
    returns.give_back()


@job(LIMITS, timeout=300)
def bill_reached(task: Job) -> None:
    """What was used so far, where it has reached a limit of the plan."""
    invoices.bill_reached()


@on("service.active", kind="billing.usage_service_active")
def service_active(task: Job) -> None:
    gathering.gather()


@on("service.deleted", kind="billing.usage_service_deleted")
def service_deleted(task: Job) -> None:
    gathering.gather()
