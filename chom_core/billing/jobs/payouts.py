"""Jobs of payouts: one for each party of a run, one for each payout that a gateway sends, and asking again."""

from __future__ import annotations

from uuid import UUID

from chom_core.billing.service.partners import payouts
from chom_core.values.money import Money
from chom_core.work import Job, ScheduleSpec, job

SCHEDULES = (ScheduleSpec("billing-resolve-payouts", payouts.RESOLVE, "45 * * * *", per="tenant"),)


@job(payouts.RUN, timeout=120)
def pay_out(task: Job) -> None:
    """One party's part of a payout run."""
    args = task.args
    payouts.pay_out(
        args["party"],
        args["kind"],
        args["key"],
        minimum=Money(args["minimum"], args["currency"]),
        method=args["method"],
    )


@job(payouts.SEND, timeout=120, attempts=20)
def send_payout(task: Job) -> None:
    """Send the money; a gateway that does not answer is asked again with the same key."""
    payouts.send(UUID(task.args["payout_id"]))


@job(payouts.RESOLVE, timeout=300)
def resolve_payouts(task: Job) -> None:
    """Payouts that a gateway has not settled yet."""
    payouts.resolve_pending()
