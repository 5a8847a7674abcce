"""Jobs of credit, refunds and disputes: a refund is sent, a bank is answered, promotional credit expires."""

from __future__ import annotations

from uuid import UUID

from chom_core.billing.service.credit import accounts
from chom_core.billing.service.paying import answers, refunds
from chom_core.work import Job, ScheduleSpec, job

SCHEDULES = (ScheduleSpec("billing-expire-credit", accounts.EXPIRE, "25 0 * * *", per="tenant"),)


@job(refunds.SEND, timeout=120, attempts=20)
def send_refund(task: Job) -> None:
    """Give the money back; a gateway that does not answer is asked again with the same key."""
    refunds.send(UUID(task.args["refund_id"]))


@job(answers.SEND, timeout=120, attempts=20)
def answer_dispute(task: Job) -> None:
    """Tell the bank; a gateway that does not answer is asked again with the same key."""
    answers.send(UUID(task.args["answer_id"]))


@job(accounts.EXPIRE, timeout=120)
def expire_credit(task: Job) -> None:
    """End promotional credit whose time has come."""
    accounts.expire_due()
