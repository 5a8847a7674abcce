"""What a look at the budgets does: alerts, and the chosen services stopped or started again. Each once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from chom_sdk import Conflict, NotFound, billing, clock, organisation_id, provisioning, session
from chom_sdk.notifications import Amount, notify, phrase

from . import service, spending
from .models import PAUSE, Alert, Budget, Pause
from .spending import State

PERCENTS = (50, 75, 90, 100)


def look() -> None:
    """Look at every budget. Safe at any time and any number of times: one at once, by the budgets' row locks."""
    for state in spending.states(service.budgets(lock=True)):
        _alert(state)
        if state.budget.at_limit == PAUSE and state.exhausted and not state.overridden:
            _pause(state)
        else:
            let_go(state.budget)


def _alert(state: State) -> None:
    """Note each share that was reached, also those that were skipped over; one message tells the highest."""
    query = select(Alert.percent).where(Alert.budget_id == state.budget.id, Alert.month == state.month.start)
    due = billing.alerts_due(state.spent, state.cap, PERCENTS, list(session().scalars(query)))
    for percent in due:
        session().add(
            Alert(
                tenant_id=organisation_id(), budget_id=state.budget.id, month=state.month.start,
                percent=int(percent), spent=state.spent.amount,
            )
        )  # fmt: skip
    session().flush()
    if due:
        _tell(state, int(due[-1]))


def _tell(state: State, percent: int) -> None:
    words = {
        "tell": phrase("Nothing is blocked or stopped: you asked to be told."),
        "block": phrase(
            "At 100 % nothing more can be bought until the month ends. Services and renewals go on."
        ),
        "pause": phrase("At 100 % nothing more can be bought, and the services you chose are paused."),
    }[state.budget.at_limit]
    notify(
        "budgets.alert",
        title=phrase("%(percent)s %% of the budget are used: %(name)s", percent=percent, name=state.title),
        body=phrase(
            "%(spent)s of %(cap)s were spent this month, before tax.\n\n%(more)s",
            spent=Amount(state.spent), cap=Amount(state.cap), more=words,
        ),
        link=f"/budgets/{state.budget.id}", action=phrase("See the budget"),
        key=f"{state.budget.id}/{state.month.start}/{percent}/{state.budget.amount}",
    )  # fmt: skip


def _pause(state: State) -> None:
    """Stop the chosen services that run. What is stopped already, or busy, is left; a busy one comes next time."""
    held = {one.service_id for one in _open(state.budget.id)}
    stopped = []
    for service_id in state.budget.pause_services:
        if service_id in held:
            continue
        try:
            info = provisioning.get_service(service_id)
            provisioning.stop_service(service_id)
        except (Conflict, NotFound):
            continue
        stopped.append(info.title or info.name)
        session().add(Pause(tenant_id=organisation_id(), budget_id=state.budget.id, service_id=service_id))
    session().flush()
    if stopped:
        notify(
            "budgets.paused",
            title=phrase("The budget is used up: services are paused"),
            body=phrase(
                "%(names)s: paused, as you chose for this budget. What they cost by the month goes on; what they use "
                "by the meter does not. They start again with the new month, a higher budget or an override.",
                names=", ".join(stopped),
            ),
            link=f"/budgets/{state.budget.id}", action=phrase("Lift the limit"),
        )  # fmt: skip


def let_go(budget: Budget) -> None:
    """Start what this budget stopped. One that runs by now, or is gone, is only let go; a busy one comes next time."""
    started = []
    for pause in _open(budget.id):
        name = _start(pause.service_id)
        if name is None:
            continue
        pause.ended_at = clock.now()
        if name:
            started.append(name)
    session().flush()
    if started:
        notify(
            "budgets.started",
            title=phrase("Services that a budget paused are started again"),
            body=phrase("%(names)s", names=", ".join(started)),
            link="/budgets/", action=phrase("See the budgets"),
        )  # fmt: skip


def _start(service_id: UUID) -> str | None:
    """Its name where it was started; empty where there is nothing to start; None where it is busy."""
    try:
        info = provisioning.get_service(service_id)
        if info.operation_id is not None:
            return None
        provisioning.start_service(service_id)
    except (Conflict, NotFound):
        return ""
    return info.title or info.name


def paused(budget_id: UUID) -> list[Pause]:
    """The services that this budget holds stopped now."""
    return list(_open(budget_id))


def _open(budget_id: UUID) -> Sequence[Pause]:
    query = select(Pause).where(Pause.budget_id == budget_id, Pause.ended_at.is_(None))
    return session().scalars(query.order_by(Pause.id)).all()
