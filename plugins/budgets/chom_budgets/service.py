"""The verbs on budgets: set one, drop it, lift it for a while."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import delete, select

from chom_sdk import (
    Conflict,
    Invalid,
    Money,
    NotFound,
    billing,
    organisation_id,
    principal,
    provisioning,
    session,
)
from chom_sdk.audit import Subject, record
from chom_sdk.work import enqueue

from . import spending
from .models import EVERYTHING, PAUSE, Alert, Budget

LOOK = "budgets.look"
#: The longest an override may last, in days.
LONGEST = 92


def budgets(*, lock: bool = False) -> list[Budget]:
    """The organisation's budgets, its own first. `lock` reads them afresh and holds them until commit."""
    query = select(Budget).order_by(Budget.project_id != EVERYTHING, Budget.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list(session().scalars(query))


def get(budget_id: UUID) -> Budget:
    """One budget; NotFound where it is none of the organisation's."""
    found: Budget | None = session().scalar(select(Budget).where(Budget.id == budget_id))
    if found is None:
        raise NotFound(_("There is no such budget."), fix=_("See the list of budgets."))
    return found


def create(values: Mapping[str, Any]) -> Budget:
    """A new budget in the organisation's currency. Conflict where there is one for the same, Invalid (fields)."""
    facts = _facts(values, billing.billing_currency())
    if session().scalar(select(Budget.id).where(Budget.project_id == facts["project_id"])) is not None:
        raise Conflict(
            _("There is a budget for this already."), fix=_("Change that one."),
            fields={"project_id": [_("It has a budget already.")]},
        )  # fmt: skip
    made = Budget(tenant_id=organisation_id(), override_reason="", override_by="", **facts)
    session().add(made)
    session().flush()
    record("budgets.created", _subject(made), after=_plain(facts))
    enqueue(LOOK)
    return made


def change(budget_id: UUID, values: Mapping[str, Any]) -> Budget:
    """Change amount, limit and chosen services; whose it is stays. Alerts that are ahead again may be given again."""
    found = get(budget_id)
    facts = _facts({**values, "project_id": found.project_id}, found.currency)
    before = {name: getattr(found, name) for name in facts}
    for name, value in facts.items():
        setattr(found, name, value)
    session().flush()
    if before["amount"] != facts["amount"]:
        _forget_alerts(found)
    record("budgets.changed", _subject(found), before=_plain(before), after=_plain(facts))
    enqueue(LOOK)
    return found


def remove(budget_id: UUID) -> None:
    """Drop a budget; services that it paused are started first."""
    from . import holding

    found = get(budget_id)
    holding.let_go(found)
    record("budgets.removed", _subject(found))
    session().execute(delete(Budget).where(Budget.id == found.id))


def override(budget_id: UUID, until: date, reason: str) -> Budget:
    """Lift the limit to the end of a day: nothing is blocked or paused until then. Invalid (until)."""
    found = get(budget_id)
    today = billing.spend_by_day(currency=found.currency).today
    if not today <= until <= today + timedelta(days=LONGEST):
        raise Invalid(
            _("Until when?"), fields={"until": [_("Today or later, within %(count)s days.", count=LONGEST)]}
        )
    found.override_until, found.override_reason = until, reason.strip()
    found.override_by = (principal().name or "API")[:120]
    session().flush()
    record(
        "budgets.overridden",
        _subject(found),
        reason=found.override_reason,
        after={"until": until.isoformat()},
    )
    enqueue(LOOK)
    return found


def end_override(budget_id: UUID) -> Budget:
    """The limit holds again from now on."""
    found = get(budget_id)
    if found.override_until is not None:
        found.override_until = None
        session().flush()
        record("budgets.override_ended", _subject(found))
        enqueue(LOOK)
    return found


def alerts(budget_id: UUID, limit: int = 24) -> list[Alert]:
    """What it told, the newest first."""
    query = select(Alert).where(Alert.budget_id == budget_id).order_by(Alert.id.desc()).limit(limit)
    return list(session().scalars(query))


def _forget_alerts(of: Budget) -> None:
    (state,) = spending.states([of])
    reached = [Alert.budget_id == of.id, Alert.month == state.month.start, Alert.percent > state.percent]
    session().execute(delete(Alert).where(*reached))


def _facts(values: Mapping[str, Any], currency: str) -> dict[str, Any]:
    wrong: dict[str, list[str]] = {}
    project_id = values["project_id"] or EVERYTHING
    group = next((one for one in provisioning.service_groups() if one.id == project_id), None)
    if project_id != EVERYTHING and group is None:
        wrong["project_id"] = [_("Choose one of the list.")]
    chosen = list(dict.fromkeys(values["pause_services"])) if values["at_limit"] == PAUSE else []
    known = {one.id for one in provisioning.services(ids=chosen)} if chosen else set()
    if any(one not in known or (group is not None and one not in group.service_ids) for one in chosen):
        wrong["pause_services"] = [_("Choose from the list.")]
    if values["at_limit"] == PAUSE and not chosen:
        wrong["pause_services"] = [_("Which services may be paused? Choose at least one.")]
    amount = 0
    try:
        amount = Money.of(values["amount"], currency).amount
    except ValueError:
        wrong["amount"] = [_("An amount in %(currency)s, for example 100.", currency=currency)]
    if wrong:
        raise Invalid(_("This budget cannot be."), fields=wrong)
    return {
        "project_id": project_id, "amount": amount, "currency": currency, "at_limit": values["at_limit"],
        "pause_services": chosen,
    }  # fmt: skip


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [str(one) for one in value] if isinstance(value, list) else str(value)
        for name, value in facts.items()
    }


def _subject(of: Budget) -> Subject:
    return Subject("budget", of.id, Money(of.amount, of.currency).format())
