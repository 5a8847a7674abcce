"""Use as its customer sees it: this month by meter, days, events, and how far each is from its invoice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import func, select

from chom_core.billing.models import Invoice, Subscription, UsageClosing, UsageDay, UsageEvent
from chom_core.billing.models.usage import ORGANISATION
from chom_core.billing.service import usage
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage import rating, tariffs
from chom_core.database import clock, session
from chom_core.values.errors import Invalid
from chom_core.values.money import Money
from chom_core.values.period import Period

#: Periods that are read at once, in days: a year and a bit.
LONGEST = 400


class MeterInfo(Struct, frozen=True):
    """What can be counted."""

    name: str
    title: str
    unit: str
    aggregation: str


class MeterUse(Struct, frozen=True):
    """A meter in the current month of a subscription. `amount`: what the use beyond the allowance costs so far."""

    meter: MeterInfo
    subscription_id: UUID
    plan: str
    used: Decimal
    included: Decimal
    beyond: Decimal
    unit_price: Decimal
    amount: Money
    period_start: datetime
    period_end: datetime

    @property
    def percent(self) -> int:
        """Of the allowance, whole percents; 0 where nothing is included."""
        return int(self.used * 100 / self.included) if self.included else 0


class UsageDayInfo(Struct, frozen=True):
    """One day of one subject; `subject` None is the organisation itself."""

    day: date
    subject: UUID | None
    quantity: Decimal
    events: int


class UsageEventInfo(Struct, frozen=True):
    """One event. `reason` tells why it does not count; `corrected`: another stands in for it."""

    id: str
    cursor: UUID
    meter: str
    subject: UUID | None
    at: datetime
    value: Decimal
    key: str
    reason: str
    corrected: bool
    received_at: datetime
    properties: Mapping[str, Any]


class MonthInfo(Struct, frozen=True):
    """A meter's month between reception and invoice. `state`: open, rated, billed; `late` events wait for the next."""

    meter: str
    subscription_id: UUID
    period_start: datetime
    period_end: datetime
    received: Decimal
    events: int
    rated: Decimal
    rated_events: int
    billed: Money
    invoices: tuple[str, ...]
    state: str

    @property
    def late(self) -> int:
        """Events that came after the month was closed and are on no invoice yet."""
        return max(self.events - self.rated_events, 0) if self.state != "open" else 0


class Reconciliation(Struct, frozen=True):
    """Every event that was received: counted ones by month, those that do not count by reason."""

    received: int
    counted: int
    replaced: int
    unmatched: Mapping[str, int]
    months: tuple[MonthInfo, ...]


def meter_list() -> list[MeterInfo]:
    """Every meter."""
    return [_meter(name) for name in usage.meters()]


def _meter(name: str) -> MeterInfo:
    found = usage.meters()[name]
    return MeterInfo(name, str(found.title), found.unit, found.aggregation)


def meters_used() -> list[MeterUse]:
    """The current month of everything that has a price or an allowance, the hosting plan first."""
    now = clock.now()
    lives = sorted(subscriptions.live(), key=lambda of: (of.shape != "hosting", of.id))
    return [meter_use(line) for of in lives for line in usage.estimate(of) if now in line.month]


def on_plan(plan_code: str) -> list[MeterUse]:
    """The hosting plan's current month by the prices of another plan; NotFound where that is not for sale."""
    of, plan = subscriptions.hosting(), catalogue.plan(plan_code)
    return [meter_use(line, plan.title) for line in usage.estimate(of, plan)] if of is not None else []


def meter_use(line: usage.UsageLine, plan: str = "") -> MeterUse:
    tiers = line.tariff.tiers
    return MeterUse(
        meter=_meter(line.name),
        subscription_id=line.of.id,
        plan=plan or (line.of.items[0].title if line.of.items else ""),
        used=line.use.quantity,
        included=line.tariff.included,
        beyond=line.beyond,
        unit_price=tiers[0].unit,
        amount=line.rated.amount,
        period_start=line.month.start,
        period_end=line.month.end,
    )


def usage_days(meter: str, start: datetime, end: datetime, subject: UUID | None = None) -> list[UsageDayInfo]:
    """The days of a period by subject; sums for meters that add up, else what it stood at. Invalid over 400 days."""
    period = _period(start, end)
    return [
        UsageDayInfo(one.day, _shown(one.subject), one.quantity, one.events)
        for one in usage.days(meter, period)
        if subject is None or one.subject == subject
    ]


def _period(start: datetime, end: datetime) -> Period:
    if not start < end or (end - start).days > LONGEST:
        raise Invalid(
            _("This is no period."),
            fields={"end": [_("After the start, by at most %(longest)s days.", longest=LONGEST)]},
        )
    return Period(start, end)


def usage_events(
    *, meter: str = "", subject: UUID | None = None, start: datetime | None = None, end: datetime | None = None,
    unmatched: bool = False, after: UUID | None = None, limit: int = 50,
) -> list[UsageEventInfo]:  # fmt: skip
    """Events, the last received first; `unmatched`: only those that do not count."""
    query = select(UsageEvent).order_by(UsageEvent.id.desc()).limit(limit)
    if unmatched:
        query = query.where(UsageEvent.reason.not_in(("", "withdrawn")))
    if meter:
        query = query.where(UsageEvent.meter == meter)
    if subject is not None:
        query = query.where(UsageEvent.subject == subject)
    if start is not None:
        query = query.where(UsageEvent.at >= start)
    if end is not None:
        query = query.where(UsageEvent.at < end)
    if after is not None:
        query = query.where(UsageEvent.id < after)
    return [
        UsageEventInfo(
            row.event_id, row.id, row.meter, _shown(row.subject), row.at, row.value, row.key, row.reason,
            row.replaced_by is not None, row.created_at, row.properties,
        )
        for row in session().scalars(query)
    ]  # fmt: skip


def _shown(subject: UUID) -> UUID | None:
    return None if subject == ORGANISATION else subject


def reconciliation(months: int = 6) -> Reconciliation:
    """Received, rated and billed of the current organisation: the newest `months` of each meter and subscription."""
    reasons = session().execute(
        select(UsageEvent.reason, func.count()).where(UsageEvent.reason != "").group_by(UsageEvent.reason)
    )
    by_reason = {row[0]: int(row[1]) for row in reasons}
    counted = session().scalar(select(func.coalesce(func.sum(UsageDay.events), 0))) or 0
    replaced = (
        session().scalar(
            select(func.count()).select_from(UsageEvent).where(UsageEvent.replaced_by.is_not(None))
        )
        or 0
    )
    withdrawn = by_reason.pop("withdrawn", 0)
    every = session().scalars(select(Subscription).where(Subscription.status != "incomplete")).all()
    return Reconciliation(
        received=int(counted) + replaced + withdrawn + sum(by_reason.values()),
        counted=int(counted),
        replaced=replaced,
        unmatched=by_reason,
        months=tuple(found for of in every for found in _months(of, months)),
    )


def _months(of: Subscription, most: int) -> list[MonthInfo]:
    kept, owners = rating.Kept.read(of, whole=True), tariffs.Owners(of)
    numbers = dict(_numbers(of))
    closed = sorted(
        ((name, start, rows) for (name, start), rows in kept.rows.items() if name != rating.MONTH),
        key=lambda one: (one[1], one[0]),
        reverse=True,
    )
    found = []
    for name, start, rows in closed:
        if start not in kept.months or name not in usage.meters():
            continue
        tariff = tariffs.of_terms(rows[-1].terms, of.currency)
        month = Period(start, rows[-1].period_end)
        line = rating.line(of, name, month, owners, tariff, kept, usage.by_subject(name, month))
        bills = tuple(dict.fromkeys(numbers[row.id] for row in rows if numbers.get(row.id)))
        found.append(_month(line, rows[-1].quantity, rows[-1].events, bills, "billed" if bills else "rated"))
    live = usage.estimate(of) if of.status in subscriptions.LIVE else []
    now = [_month(line, Decimal(0), 0, (), "open") for line in live if not line.late]
    return [*now, *found[: most * max(len({one.meter for one in found}), 1)]]


def _month(
    line: usage.UsageLine, rated: Decimal, events: int, bills: tuple[str, ...], state: str
) -> MonthInfo:
    return MonthInfo(
        line.name, line.of.id, line.month.start, line.month.end, line.use.quantity, line.use.events, rated, events,
        line.billed, bills, state,
    )  # fmt: skip


def _numbers(of: Subscription) -> list[tuple[UUID, str]]:
    """Which closing is on which finalised invoice."""
    query = (
        select(UsageClosing.id, Invoice.number)
        .join(Invoice, Invoice.id == UsageClosing.invoice_id)
        .where(UsageClosing.subscription_id == of.id, Invoice.number.is_not(None), Invoice.status != "void")
    )
    return [(closing, str(number)) for closing, number in session().execute(query)]
