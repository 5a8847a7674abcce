"""What the use of a month costs: rated over and over, billed once.

A line is the price of all that the month used, less what earlier closings of the month put on invoices. So half a cent
is never billed by a second run, tiers and allowances are used up once, and a late or corrected event shows up as the
difference on the next invoice, by the tariff its month was closed with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import func, or_, select

from chom_core.billing.models import Invoice, Subscription, SubscriptionChange, UsageClosing
from chom_core.billing.rules import pricing
from chom_core.billing.rules.pricing import Billed, Rated, Tariff
from chom_core.billing.service.usage import metering, totals
from chom_core.billing.service.usage import tariffs as usage_tariffs
from chom_core.billing.service.usage.ingest import BACK
from chom_core.billing.service.usage.tariffs import Owners
from chom_core.billing.service.usage.totals import Use
from chom_core.database import session
from chom_core.plugin_host import Meter
from chom_core.values.money import Money
from chom_core.values.period import Period

#: What `totals.by_meter` answers.
Uses = Mapping[Period, Mapping[str, Mapping[UUID, Use]]]
#: The meter of the row that says that a month is closed.
MONTH = ""
#: A closed month is looked at again as long as events may still have come for it since the last closing.
TAIL = BACK + timedelta(days=1)


class UsageLine(Struct, frozen=True):
    """A meter's use in a month of a subscription: all of it, what of it was billed before, and what is due now.

    `interim`: the month is not over. `late`: it was closed before, and what came since makes the difference.
    `fresh`: the last closing of the month says otherwise (how much, or at which prices). `amount` may be nearer to
    zero than `rated.amount`.
    """

    of: Subscription
    meter: Meter
    name: str
    month: Period
    use: Use
    tariff: Tariff
    billed: Money
    rated: Rated
    amount: Money
    number: int
    fresh: bool
    interim: bool = False
    late: bool = False

    @property
    def beyond(self) -> Decimal:
        """What is used beyond the allowance."""
        return max(self.use.quantity - self.tariff.included, Decimal(0))

    @property
    def fees(self) -> Money:
        """What the whole month costs so far, whatever was billed of it."""
        return self.billed + self.rated.amount


class Kept:
    """What earlier closings of a subscription say. A void invoice billed and closed nothing."""

    def __init__(self, of: Subscription, rows: Sequence[tuple[UsageClosing, bool]] = ()) -> None:
        self.rows: dict[tuple[str, datetime], list[UsageClosing]] = {}
        self.currency = of.currency
        self._amounts: dict[tuple[str, datetime], int] = {}
        self._newest: dict[tuple[str, datetime], UsageClosing] = {}
        done = []
        for row, counts in rows:
            place = (row.meter, row.period_start)
            self.rows.setdefault(place, []).append(row)
            self._amounts[place] = self._amounts.get(place, 0) + (row.amount if counts else 0)
            if counts:
                self._newest[place] = row
            if row.meter == MONTH and counts:
                done.append(row)
        self.months = {row.period_start: Period(row.period_start, row.period_end) for row in done}
        self.until = max((row.period_end for row in done), default=usage_tariffs.begun(of))
        newest = max((row.created_at for row in done), default=None)
        self.looked_back = newest - TAIL if newest else self.until

    @classmethod
    def read(cls, of: Subscription, *, whole: bool = False) -> Kept:
        """Those that may still matter: of months that are over for good only that they are; with `whole` all."""
        counts = or_(UsageClosing.invoice_id.is_(None), Invoice.status != "void")
        mine = (
            select(UsageClosing, counts)
            .outerjoin(Invoice, Invoice.id == UsageClosing.invoice_id)
            .where(UsageClosing.subscription_id == of.id)
        )
        query = mine.order_by(UsageClosing.meter, UsageClosing.period_start, UsageClosing.number)
        if not whole:
            done = mine.where(UsageClosing.meter == MONTH, counts).with_only_columns(
                func.least(func.max(UsageClosing.created_at) - TAIL, func.max(UsageClosing.period_end))
            )
            over = UsageClosing.period_end <= done.scalar_subquery()
            query = query.where(or_(UsageClosing.meter == MONTH, over.is_not(True)))
        kept = cls(of, [(row, bool(valid)) for row, valid in session().execute(query)])
        kept.until = _resumed(of, kept.until)
        return kept

    def paid(self, name: str, start: datetime) -> Money:
        """What was billed of a meter's month so far."""
        return Money(self._amounts.get((name, start), 0), self.currency)

    def billed(self, name: str, start: datetime, tariff: Tariff) -> Billed:
        """The same for rules: with the units, where they were billed by this tariff, so that its steps go on."""
        newest = self._newest.get((name, start))
        same = newest is not None and newest.terms == usage_tariffs.terms(tariff)
        return Billed(newest.quantity if newest is not None and same else None, self.paid(name, start))


def _resumed(of: Subscription, until: datetime) -> datetime:
    """Where the next month begins: at `until`, or where a pause that began there ended."""
    paused = select(SubscriptionChange.id).where(
        SubscriptionChange.subscription_id == of.id,
        SubscriptionChange.kind == "pause",
        SubscriptionChange.status == "done",
        SubscriptionChange.effective_at == until,
    )
    if of.current_period_start <= until or of.status == "paused" or session().scalar(paused.limit(1)) is None:
        return until
    return of.current_period_start


class Rating(Struct, frozen=True):
    """What use up to an instant comes to: its lines, with those that come to nothing; the months that are open until
    then, and whether each is over; and what earlier closings say.
    """

    lines: Sequence[UsageLine]
    months: Sequence[tuple[Period, bool]]
    kept: Kept


def rate(
    of: Subscription, until: datetime, *, last: bool = False, interim: bool = False, alone: bool = False
) -> Rating:
    """Rate the months up to `until` that are not billed yet, and what came late for those that are.

    `last`: the month that `until` cuts is the last one and ends there; `interim`: it is billed so far and goes on.
    `alone`: the organisation never had another subscription.
    """
    owners, kept = Owners(of, alone=alone), Kept.read(of)
    late, months = _closed(kept), open_months(of, kept, until, last=last, interim=interim)
    meters = metering.meters()
    tariffs = {name: one for name, one in owners.tariffs(of).items() if name in meters}
    names = {*tariffs, *(one.meter for closings in late.values() for one in closings)}
    uses = totals.by_meter(names, [*late, *(month for month, _over in months)])
    found = list(_late(of, owners, kept, late, uses))
    for month, over in months:
        for name, whole in tariffs.items():
            tariff = usage_tariffs.for_month(of, whole, month, meters[name].aggregation)
            found.append(line(of, name, month, owners, tariff, kept, uses[month][name], interim=not over))
    return Rating(_bounded(found), months, kept)


def lines(
    of: Subscription, until: datetime, *, last: bool = False, interim: bool = False
) -> Sequence[UsageLine]:
    """The lines of `rate`."""
    return rate(of, until, last=last, interim=interim).lines


def by_other_prices(of: Subscription, now: datetime, prices: usage_tariffs.Tariffs) -> list[UsageLine]:
    """The current month so far, rated by other prices as if nothing of it had been billed: what another plan takes."""
    owners, kept = Owners(of), Kept.read(of)
    months = open_months(of, kept, now, last=False, interim=True)
    if not months:
        return []
    month, none = months[-1][0], Kept(of)
    uses = totals.by_meter(prices, [month])[month]
    return [
        line(of, name, month, owners, tariff, none, uses[name], interim=True)
        for name, tariff in prices.items()
    ]


def open_months(
    of: Subscription, kept: Kept, until: datetime, *, last: bool = False, interim: bool = False
) -> list[tuple[Period, bool]]:
    """Months that are not closed, from the end of the last closed one, and whether each is over by `until`."""
    found, start = [], kept.until
    until = min(until, of.ended_at or until)
    while start < until:
        month = usage_tariffs.month(of, start)
        if month.end <= until:
            found.append((month, True))
        elif last:
            found.append((Period(start, until), True))
        elif interim:
            found.append((month, False))
        start = month.end
    return found


def line(
    of: Subscription,
    name: str,
    month: Period,
    owners: Owners,
    tariff: Tariff,
    kept: Kept,
    by_subject: Mapping[UUID, Use],
    *,
    interim: bool = False,
    late: bool = False,
) -> UsageLine:
    """One meter's month. `by_subject`: what the whole organisation used of it (`totals.by_meter`)."""
    mine = [use for subject, use in by_subject.items() if owners.of(name, subject, month) == of.id]
    quantity = totals.added(use.quantity for use in mine)
    use = totals.rounded(Use(quantity, sum(use.events for use in mine)))
    rows, paid = kept.rows.get((name, month.start), []), kept.paid(name, month.start)
    before = kept.billed(name, month.start, tariff) if rows else None
    rated = pricing.rate(tariff, use.quantity, of.currency, before, last=not interim)
    same = bool(rows) and (rows[-1].quantity, rows[-1].events) == (use.quantity, use.events)
    if same and not late:  # after a change of plan the same use may cost something else
        same = rows[-1].terms == usage_tariffs.terms(tariff)
    return UsageLine(
        of, metering.meters()[name], name, month, use, tariff, paid, rated, rated.amount,
        rows[-1].number + 1 if rows else 1, fresh=not same, interim=interim, late=late,
    )  # fmt: skip


def _closed(kept: Kept) -> dict[Period, list[UsageClosing]]:
    """The newest closing of each meter of the closed months for which events may have come since. A meter whose plugin
    is not here any more is left out.
    """
    months: dict[Period, list[UsageClosing]] = {}
    meters = metering.meters()
    for (name, start), rows in kept.rows.items():
        newest = rows[-1]
        if name in meters and start in kept.months and newest.period_end > kept.looked_back:
            months.setdefault(Period(newest.period_start, newest.period_end), []).append(newest)
    return months


def _late(
    of: Subscription, owners: Owners, kept: Kept, closed: Mapping[Period, Sequence[UsageClosing]], uses: Uses
) -> Iterator[UsageLine]:
    """Closed months whose use is another by now, or of which something is still to be given back."""
    for month, closings in closed.items():
        for one in closings:
            tariff = usage_tariffs.of_terms(one.terms, one.currency)
            found = line(of, one.meter, month, owners, tariff, kept, uses[month][one.meter], late=True)
            if found.fresh or found.amount:
                yield found


def _bounded(found: Sequence[UsageLine]) -> list[UsageLine]:
    """What is given back never exceeds what is charged beside it; the rest waits for the next invoice."""
    room = sum(one.amount.amount for one in found if one.amount.amount > 0)
    made = []
    for one in found:
        if one.amount.amount < 0:
            back = min(-one.amount.amount, room)
            room -= back
            one = replace(one, amount=Money(-back, one.amount.currency))
        made.append(one)
    return made
