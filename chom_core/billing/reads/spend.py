"""What a calendar month has cost, day by day, billed or not: for budgets and reports. Before tax.

A plan or a thing bought counts on the day it was invoiced, a credit note on its own. Use counts on the days it was
used, whenever it is billed: its price is spread over them by quantity, so that no month pays for another's use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import select

from chom_core.billing.models import (
    CreditNote,
    CreditNoteLine,
    Invoice,
    InvoiceLine,
    Subscription,
    SubscriptionItem,
)
from chom_core.billing.models.usage import ORGANISATION
from chom_core.billing.reads.account import billing_currency
from chom_core.billing.rules.rounding import exact
from chom_core.billing.rules.splits import OddUnit, allocate
from chom_core.billing.service import usage
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage import tariffs
from chom_core.database import Tenant, clock, current, session
from chom_core.values.money import Money
from chom_core.values.period import Period

_SCALE = 10**9
_COUNTED = ("open", "paid", "uncollectible")


class Spend(Struct, frozen=True):
    """What one day cost of one kind (plan, service, addon, usage, charge, credit), for a service or for all."""

    day: date
    kind: str
    service_id: UUID | None
    amount: Money


class MonthSpend(Struct, frozen=True):
    """A calendar month by the organisation's own days: `[start, end)`, with `today` there, and what it cost by now."""

    start: date
    end: date
    today: date
    currency: str
    entries: tuple[Spend, ...]

    @property
    def total(self) -> Money:
        """All of it; a credit note of another month's invoice may bring it below zero."""
        return sum((one.amount for one in self.entries), start=Money.zero(self.currency))


def spend_by_day(month: date | None = None, currency: str = "") -> MonthSpend:
    """The calendar month in which `month` lies (default: the one that runs), in one currency (default: the own)."""
    zone = ZoneInfo(session().get_one(Tenant, current().tenant_id).zone)
    code, now = currency or billing_currency(), clock.now()
    today = now.astimezone(zone).date()
    start = (month or today).replace(day=1)
    end = (start + timedelta(days=32)).replace(day=1)
    span = Period(datetime.combine(start, time(), zone), datetime.combine(end, time(), zone))
    services = {f"item:{id_}": service for id_, service in session().execute(
        select(SubscriptionItem.id, SubscriptionItem.service_id)
    )}  # fmt: skip
    sums: dict[tuple[date, str, UUID | None], int] = defaultdict(int)
    for one in (
        *_billed(span, code, services, zone),
        *_noted(span, code, services, zone),
        *_used(span, code),
    ):
        if start <= one.day < end:
            sums[one.day, one.kind, one.service_id] += one.amount.amount
    entries = (Spend(*key, Money(amount, code)) for key, amount in sums.items() if amount)
    return MonthSpend(
        start, end, today, code, tuple(sorted(entries, key=lambda e: (e.day, e.kind, str(e.service_id))))
    )


def _billed(
    span: Period, currency: str, services: Mapping[str, UUID | None], zone: ZoneInfo
) -> Iterator[Spend]:
    """Lines of invoices of the month; lines of use that reach into it, whenever they were billed."""
    query = (
        select(InvoiceLine, Invoice.finalised_at)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(Invoice.status.in_(_COUNTED), Invoice.currency == currency, InvoiceLine.kind != "discount")
    )
    in_month = (Invoice.finalised_at >= span.start) & (Invoice.finalised_at < span.end)
    reaches = (InvoiceLine.period_start < span.end) & (InvoiceLine.period_end > span.start)
    measured = (InvoiceLine.kind == "usage") & InvoiceLine.details.has_key("meter")
    for line, at in session().execute(query.where((measured & reaches) | (~measured & in_month))):
        net = Money(line.amount - line.discount, currency)
        if line.kind == "usage" and "meter" in line.details and line.period_start and line.period_end:
            of = session().get(Subscription, UUID(line.details["subscription"]))
            days = Period(line.period_start, line.period_end)
            yield from _spread(of, line.details["meter"], days, net, zone)
        elif at is not None:
            yield Spend(at.astimezone(zone).date(), line.kind, services.get(line.source), net)


def _noted(
    span: Period, currency: str, services: Mapping[str, UUID | None], zone: ZoneInfo
) -> Iterator[Spend]:
    """Credit notes take off what they took back, on their own day. A void invoice counted for nothing already."""
    query = (
        select(CreditNoteLine.amount, InvoiceLine.source, CreditNote.issued_at)
        .join(CreditNote, CreditNote.id == CreditNoteLine.credit_note_id)
        .join(InvoiceLine, InvoiceLine.id == CreditNoteLine.invoice_line_id)
        .join(Invoice, Invoice.id == CreditNote.invoice_id)
        .where(
            Invoice.status.in_(_COUNTED), CreditNote.currency == currency, CreditNote.issued_at >= span.start,
            CreditNote.issued_at < span.end,
        )
    )  # fmt: skip
    for amount, source, at in session().execute(query):
        yield Spend(at.astimezone(zone).date(), "credit", services.get(source), Money(-amount, currency))


def _used(span: Period, currency: str) -> Iterator[Spend]:
    """What use has cost and no invoice carries yet."""
    for of in subscriptions.live():
        if of.currency != currency:
            continue
        for line in usage.estimate(of):
            if line.amount and line.month.start < span.end and line.month.end > span.start:
                yield from _spread(of, line.name, line.month, line.amount, ZoneInfo(of.zone))


def _spread(
    of: Subscription | None, meter: str, period: Period, amount: Money, zone: ZoneInfo
) -> Iterator[Spend]:
    """The price of a period's use over its (UTC) days and services, by quantity, to the cent; the first bears the odd
    one."""
    places: list[tuple[date, UUID | None]] = []
    weights: list[int] = []
    known = of is not None and meter in usage.meters()
    owners = tariffs.Owners(of) if known else None
    for one in usage.days(meter, period) if known else ():
        weight = int(max(exact(one.quantity), Fraction(0)) * _SCALE)
        if (
            weight
            and owners is not None
            and of is not None
            and owners.of(meter, one.subject, period) == of.id
        ):
            places.append((one.day, None if one.subject == ORGANISATION else one.subject))
            weights.append(weight)
    if not weights:  # nothing says when: on the last day that has been
        last = min(period.end - timedelta(microseconds=1), clock.now())
        places, weights = [(max(last, period.start).astimezone(zone).date(), None)], [1]
    for (day, subject), share in zip(places, allocate(amount, weights, OddUnit.CARRIED), strict=True):
        yield Spend(day, "usage", subject, share)
