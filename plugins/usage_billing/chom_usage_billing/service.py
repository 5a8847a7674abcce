"""Alerts, savings and reports, from the core's read models; only alerts are kept here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chom_sdk import Invalid, Money, billing, clock, organisation_id, provisioning, session, uuid7
from chom_sdk.billing import MeterUse, PlanCost, UsageDayInfo
from chom_sdk.notifications import notify, phrase

from .models import Alert

PERCENTS = (80, 90, 100)
SPANS = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Month:
    """The current month: every meter, what use has cost so far, and the plan that saves most."""

    meters: Sequence[MeterUse]
    cost: Money | None
    plans: Sequence[PlanCost]

    @property
    def best(self) -> PlanCost | None:
        """The plan that is cheaper than today's, where there is one."""
        cheaper = [plan for plan in self.plans if plan.saves.amount > 0]
        return max(cheaper, key=lambda plan: plan.saves.amount, default=None)


def month() -> Month:
    meters = billing.meters_used()
    cost = sum((one.amount for one in meters[1:]), start=meters[0].amount) if meters else None
    return Month(meters, cost, billing.plan_costs())


def quantity(value: Decimal, unit: str = "") -> str:
    """«40.5 GB»: at most three decimals."""
    text = f"{round(value, 3):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {unit}".strip()


def days(meter: str, span: int) -> list[UsageDayInfo]:
    """The last `span` days of a meter. Invalid for another span, NotFound for an unknown meter."""
    if span not in SPANS:
        raise Invalid(fields={"days": [_("7, 30 or 90 days.")]})
    now = clock.now()
    return billing.usage_days(meter, now - timedelta(days=span), now + timedelta(minutes=5))


def names() -> dict[object, str]:
    """What services are called, deleted ones too; None is the organisation."""
    found: dict[object, str] = {
        info.id: info.title or info.name for info in provisioning.services(deleted=True)
    }
    return {**found, None: _("Organisation")}


def report(meters: Sequence[MeterUse]) -> Iterator[Sequence[object]]:
    """The month as rows: day, meter, service, quantity, unit, events; then what each meter comes to."""
    called = names()
    for one in meters:
        for day in billing.usage_days(one.meter.name, one.period_start, one.period_end):
            yield (day.day.isoformat(), one.meter.title, called.get(day.subject, str(day.subject)),
                   quantity(day.quantity), one.meter.unit, day.events, "")  # fmt: skip
    for one in meters:
        words = _("Sum of the month, %(count)s included", count=quantity(one.included))
        yield ("", one.meter.title, words, quantity(one.used), one.meter.unit, "", str(one.amount.major))


def look() -> int:
    """Tell of every share of an allowance that was reached and not told of in its month; returns how many."""
    told = 0
    best = month().best
    for one in billing.meters_used():
        for percent in PERCENTS:
            if one.included and one.used * 100 >= one.included * percent and _first(one, percent):
                _tell(one, percent, best)
                told += 1
    return told


def alerts(since: datetime) -> list[Alert]:
    """What was told of months that began at `since` or later, newest first."""
    return list(session().scalars(select(Alert).where(Alert.period_start >= since).order_by(Alert.id.desc())))


def _first(one: MeterUse, percent: int) -> bool:
    """Whether this is the first look that sees it: the unique key decides, also between two looks at once."""
    row = insert(Alert).values(
        id=uuid7(), created_at=clock.now(), tenant_id=organisation_id(), subscription_id=one.subscription_id,
        meter=one.meter.name, period_start=one.period_start, percent=percent,
    )  # fmt: skip
    return session().scalar(row.on_conflict_do_nothing().returning(Alert.id)) is not None


def _tell(one: MeterUse, percent: int, best: PlanCost | None) -> None:
    price = f"{quantity(one.unit_price)} {one.amount.currency}"
    if percent < 100:
        body = phrase(
            "%(used)s of %(included)s are used this month. No action is needed: past that nothing stops, and each "
            "further one costs %(price)s.",
            used=quantity(one.used, one.meter.unit), included=quantity(one.included, one.meter.unit), price=price,
        )  # fmt: skip
    elif best is not None:
        body = phrase(
            "All %(included)s are used. Each further one costs %(price)s this month. With %(plan)s you would save "
            "%(saving)s a month.",
            included=quantity(one.included, one.meter.unit), price=price, plan=best.title,
            saving=best.saves.format(),
        )  # fmt: skip
    else:
        body = phrase(
            "All %(included)s are used. Nothing stops: each further one costs %(price)s this month.",
            included=quantity(one.included, one.meter.unit), price=price,
        )  # fmt: skip
    notify(
        "usage_billing.alert",
        title=phrase("%(percent)s %% of the allowance are used: %(meter)s", percent=percent, meter=one.meter.title),
        body=body, link="/usage", action=phrase("See your usage"),
        key=f"{one.subscription_id}/{one.meter.name}/{one.period_start.isoformat()}/{percent}",
    )  # fmt: skip
