"""Dunning's jobs: a step at its instant, an hourly net below, and what events mean for unpaid invoices."""

from __future__ import annotations

from uuid import UUID

from chom_core.billing.service.dunning import escalation, holds
from chom_core.database import restart
from chom_core.values.ids import parse_uuid
from chom_core.work import Job, ScheduleSpec, job, on

SCHEDULES = (ScheduleSpec("billing-dunning", escalation.SWEEP, "35 * * * *", per="tenant"),)
ASK = "billing.dunning_ask"


@job(escalation.SWEEP, timeout=300)
def sweep(task: Job) -> None:
    """Whatever a lost event, a killed worker or a silent gateway left undone."""
    escalation.sweep()
    restart()
    holds.bring_back()


@job(escalation.STEP, timeout=120, attempts=10)
def step(task: Job) -> None:
    """Something falls due for one unpaid invoice."""
    escalation.step(UUID(task.args["dunning_id"]))


@job(ASK, timeout=120, attempts=10)
def ask(task: Job) -> None:
    """Staff want the card asked now."""
    escalation.ask_now(UUID(task.args["dunning_id"]), task.args["attempt"])


@on("payment.failed", kind="billing.dunning_begins", timeout=120, attempts=10)
def begins(task: Job) -> None:
    """A card did not pay: where the invoice is open, its ladder begins, or this was a rung of it."""
    invoice_id = parse_uuid(task.event.payload.get("invoice_id") or "")
    dunning_id = escalation.begin(invoice_id) if invoice_id and task.event.payload.get("dunning") else None
    if dunning_id is not None:
        restart()
        escalation.step(dunning_id)


@on("invoice.paid", "invoice.voided", kind="billing.dunning_settled", timeout=120, attempts=10)
def settled(task: Job) -> None:
    """Nothing is due any more: what stood still runs again."""
    invoice_id = parse_uuid(task.event.payload.get("invoice_id") or "")
    if invoice_id is not None:
        escalation.settled(invoice_id)


@on(
    "payment_method.saved",
    "payment_method.made_default",
    kind="billing.dunning_card",
    timeout=120,
    attempts=10,
)
def new_card(task: Job) -> None:
    """A card was replaced: what is unpaid is tried with it at once."""
    method_id = parse_uuid(task.event.subject.partition(":")[2])
    if method_id is not None:
        escalation.new_card(method_id, task.event.id)


@on("service.active", "service.suspended", kind="billing.dunning_service", attempts=10)
def service_changed(task: Job) -> None:
    """A service came to rest: one that stands still for an unpaid invoice stops, one that was let go runs."""
    for dunning_id in escalation.standing_still():
        escalation.step(dunning_id)
        restart()
    holds.bring_back()
