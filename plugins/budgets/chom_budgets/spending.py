"""How each budget stands: what its month has cost by now, and what is made of that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask_babel import gettext as _

from chom_sdk import Money, billing, provisioning
from chom_sdk.billing import MonthSpend, Spend
from chom_sdk.provisioning import ServiceGroup

from .forecast import Forecast, forecast
from .models import EVERYTHING, Budget


@dataclass(frozen=True, slots=True)
class State:
    """A budget in its month. `group` is its project, None for the whole organisation or a project that is gone."""

    budget: Budget
    group: ServiceGroup | None
    month: MonthSpend
    entries: tuple[Spend, ...]

    @property
    def cap(self) -> Money:
        return Money(self.budget.amount, self.budget.currency)

    @property
    def spent(self) -> Money:
        return sum((one.amount for one in self.entries), start=Money.zero(self.budget.currency))

    @property
    def metered(self) -> Money:
        """The part that use has cost."""
        used = (one.amount for one in self.entries if one.kind == "usage")
        return sum(used, start=Money.zero(self.budget.currency))

    @property
    def percent(self) -> int:
        """Whole percents, rounded down: 100 is reached, never rounded to."""
        return max(self.spent.amount, 0) * 100 // self.cap.amount

    @property
    def exhausted(self) -> bool:
        return billing.exhausted(self.spent, self.cap)

    @property
    def overridden(self) -> bool:
        until = self.budget.override_until
        return until is not None and self.month.today <= until

    @property
    def title(self) -> str:
        if self.budget.project_id == EVERYTHING:
            return _("The whole organisation")
        return self.group.title if self.group else _("A project that is gone")

    def by_day(self) -> dict[date, Money]:
        """What each day cost."""
        found: dict[date, Money] = {}
        for one in self.entries:
            found[one.day] = found.get(one.day, Money.zero(self.budget.currency)) + one.amount
        return found

    def covers(self, service_id: UUID | None) -> bool:
        """Is what is bought for this service (None: something new) in this budget?"""
        if self.budget.project_id == EVERYTHING:
            return True
        return self.group is not None and service_id in self.group.service_ids


def states(budgets: Iterable[Budget]) -> list[State]:
    """How these budgets stand; one look at the month for each currency, however many there are."""
    wanted = list(budgets)
    months = {code: billing.spend_by_day(currency=code) for code in {one.currency for one in wanted}}
    some = any(one.project_id != EVERYTHING for one in wanted)
    groups = {one.id: one for one in provisioning.service_groups()} if some else {}
    return [_state(one, groups.get(one.project_id), months[one.currency]) for one in wanted]


def _state(budget: Budget, group: ServiceGroup | None, month: MonthSpend) -> State:
    if budget.project_id == EVERYTHING:
        return State(budget, None, month, month.entries)
    inside = group.service_ids if group else frozenset()
    return State(budget, group, month, tuple(one for one in month.entries if one.service_id in inside))


def look_ahead(state: State) -> Forecast:
    """The estimate for the rest of the month: use in a straight line, and renewals on their days."""
    renewals = billing.estimate(state.budget.currency).renewals
    coming = [(one.at.date(), one.amount) for one in renewals if state.covers(one.service_id)]
    month = state.month
    return forecast(state.spent, state.cap, state.metered, coming, month.start, month.today, month.end)
