"""What budgets refuse, and what they add to other pages."""

from __future__ import annotations

from flask_babel import gettext as _

from chom_sdk import hookimpl
from chom_sdk.billing import PurchaseQuery, Refusal
from chom_sdk.ui import PageSlot, Panel

from . import service, spending
from .models import TELL

#: From here on the home page shows a budget, in percent.
WORTH_SEEING = 75


@hookimpl
def billing_may_buy(query: PurchaseQuery) -> Refusal | None:
    """No, where it would take the month past a budget that blocks purchases."""
    if query.amount.amount <= 0:
        return None
    found = [
        one for one in service.budgets() if one.at_limit != TELL and one.currency == query.amount.currency
    ]
    for state in spending.states(found):
        if state.overridden or not state.covers(query.service_id):
            continue
        after = state.spent + query.on_its_way + query.amount
        if state.exhausted or state.cap < after:
            return Refusal(
                _(
                    "Your budget blocks this: %(spent)s of %(cap)s are spent or being spent this month, and "
                    "%(title)s costs %(amount)s. Nothing was charged.",
                    spent=(state.spent + query.on_its_way).format(), cap=state.cap.format(), title=query.title,
                    amount=query.amount.format(),
                ),
                _("Raise the budget, or lift it for a while, under Budgets."),
            )  # fmt: skip
    return None


@hookimpl
def slot_billing_overview(slot: PageSlot) -> Panel | None:
    """Every budget as a bar."""
    found = spending.states(service.budgets())
    return Panel("budgets/panel.html", {"states": found}) if found else None


@hookimpl
def slot_home(slot: PageSlot) -> Panel | None:
    """The budgets that are nearly used up."""
    found = [one for one in spending.states(service.budgets()) if one.percent >= WORTH_SEEING]
    return Panel("budgets/panel.html", {"states": found}) if found else None
