"""What is used."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from chom_core.billing.models import Plan
from chom_core.billing.service import usage
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import clock, session
from chom_core.simulation.acts.on import On

#: What there is to use: meter, which part of the allowance a batch makes up in the middle.
TRAFFIC_EVENTS, STORAGE_EVENTS = 5, 2


def use(on: On) -> str:
    """Sites, storage and traffic since the last look, around what the plan includes, growing over the months."""
    of = subscriptions.hosting()
    if of is None or of.started_at is None:
        return "nothing"
    included = session().get_one(Plan, subscriptions.main_item(of).plan_id).allowances
    events = [event for event in _events(on, included) if event.at is not None and event.at >= of.started_at]
    if not events:
        return "nothing"
    usage.record_batch(events)
    return "done"


def _events(on: On, included: dict[str, int]) -> list[usage.NewEvent]:
    dice, now = on.dice(), clock.now()
    span = min(float(on.act.facts["span"]), 20 * 86400.0)
    fill = on.actor.random("size").uniform(0.3, 0.95) * (1 + 0.04 * int(on.act.facts["growth"]))

    def event(meter: str, value: float, back: float, number: int) -> usage.NewEvent:
        amount = Decimal(str(round(max(value, 0.001), 3)))
        return usage.NewEvent(
            f"{on.act.key}-{meter}-{number}", meter, amount, now - timedelta(seconds=int(span * back))
        )

    sites = max(1, round(included.get("sites", 3) * fill * dice.uniform(0.5, 1.2)))
    made = [event("sites", sites, 0.0, 0)]
    for number in range(STORAGE_EVENTS):
        gigabytes = included.get("storage_gb", 10) * fill * dice.uniform(0.7, 1.2)
        made.append(event("storage_gb", gigabytes, number / STORAGE_EVENTS, number))
    for number in range(TRAFFIC_EVENTS):
        each = included.get("traffic_gb", 100) * fill * dice.uniform(0.3, 1.6) / TRAFFIC_EVENTS / 2
        made.append(event("traffic_gb", each, number / TRAFFIC_EVENTS, number))
    return made
