"""Invoices of use alone: for months that end while the plan's own period goes on, as those of a plan paid yearly, for
what was used so far when it reaches a limit of the plan, and for what came late where no next bill finds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select

from chom_core.billing.models import Invoice, Plan, Seller, Subscription, SubscriptionChange, UsageClosing
from chom_core.billing.service.dunning import holds
from chom_core.billing.service.invoicing import invoices, sellers
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.offers import limits
from chom_core.billing.service.subscribing import renewal, subscriptions
from chom_core.billing.service.usage import closing, metering
from chom_core.billing.service.usage import rating as usage_rating
from chom_core.billing.service.usage.ingest import BACK
from chom_core.billing.service.usage.rating import MONTH, Kept, open_months
from chom_core.database import clock, restart, session
from chom_core.plugin_host import Meter
from chom_core.values.money import Money
from chom_core.values.period import Period


def bill_months() -> int:
    """Bill the months that are over in the current organisation; returns how many invoices were made.

    A month that ends with its subscription's period is left to the renewal. Again: nothing happens.
    """
    made = 0
    for subscription_id in [of.id for of in subscriptions.live()]:
        invoice_id = _bill(subscription_id)
        if invoice_id is not None:
            made += 1
            renewal.collect(invoice_id)
        restart()
    return made


def _bill(subscription_id: UUID) -> UUID | None:
    sellers.lock_profile()
    of = subscriptions.subscription(subscription_id, lock=True)
    if of.status not in subscriptions.LIVE or of.current_period_end <= clock.now():
        return None
    over = [month for month, _over in open_months(of, Kept.read(of), clock.now())]
    if not over:
        return None
    until = over[-1].end
    charges = closing.usage_charges(of, Period(over[0].start, until))
    if not charges:
        closing.close(of, until, None)
        restart()
        return None
    return _invoice(of, Period(over[0].start, until))


def bill_late() -> int:
    """Bill what came late for subscriptions that have no next bill; returns how many invoices were made.

    One invoice for each, once no event is taken any more for its last month: not one for each event that comes late.
    Where nothing came, and after it, the month is settled: nothing happens again, also where staff void that invoice.
    """
    made = 0
    for subscription_id, _until in _unsettled():
        invoice_id = _settle(subscription_id)
        if invoice_id is not None:
            made += 1
            renewal.collect(invoice_id)
        restart()
    return made


def _unsettled(*, of: UUID | None = None) -> Sequence[tuple[UUID, datetime]]:
    """Subscriptions that have ended or are paused until somebody resumes them, and the end of their last closed month:
    where no event is taken for it any more since that last was looked at."""
    counts = or_(UsageClosing.invoice_id.is_(None), Invoice.status != "void")
    until = func.max(UsageClosing.period_end).filter(counts)
    comes_back = select(SubscriptionChange.subscription_id).where(
        SubscriptionChange.kind == "resume", SubscriptionChange.status == "scheduled"
    )
    query = (
        select(UsageClosing.subscription_id, until)
        .join(Subscription, Subscription.id == UsageClosing.subscription_id)
        .outerjoin(Invoice, Invoice.id == UsageClosing.invoice_id)
        .where(
            UsageClosing.meter == MONTH, Subscription.status.in_(("cancelled", "paused")),
            Subscription.id.not_in(comes_back),
        )
        .group_by(UsageClosing.subscription_id)
        .having(until <= clock.now() - BACK, func.max(UsageClosing.created_at) < until + BACK)
        .order_by(UsageClosing.subscription_id)
    )  # fmt: skip
    if of is not None:
        query = query.where(Subscription.id == of)
    return [(found, ended) for found, ended in session().execute(query)]


def _settle(subscription_id: UUID) -> UUID | None:
    sellers.lock_profile()
    of = subscriptions.subscription(subscription_id, lock=True)
    for _id, until in _unsettled(of=of.id):  # another may have settled it, or it came back
        use = closing.settled(of, until)
        if use.charges:
            return _made(of, use.charges, use.billed)
        use.billed(None)
    return None


def bill_reached() -> int:
    """Bill what was used so far where it has reached a limit of the plan; returns how many invoices were made.

    Once for each limit and month: an interim invoice bills all that is used by then, and the month's last bill takes it
    off. What stands still for an unpaid bill is left alone.
    """
    made = 0
    for of in subscriptions.live():
        if not _limits(of).amounts or of.current_period_end <= clock.now():
            continue
        invoice_id = bill_so_far(of.id)
        if invoice_id is not None:
            made += 1
            renewal.collect(invoice_id)
        restart()
    return made


def bill_so_far(subscription_id: UUID) -> UUID | None:
    """An interim invoice where what was used in the month has reached a limit since the last one; None elsewhere."""
    sellers.lock_profile()
    of = subscriptions.subscription(subscription_id, lock=True)
    if of.status not in subscriptions.LIVE or holds.stands_still(of):
        return None
    zero, now = Money.zero(of.currency), clock.now()
    month = [
        line for line in usage_rating.lines(of, now, interim=True) if line.interim and _early(line.meter)
    ]
    billed = sum((line.billed for line in month), start=zero)
    if not _limits(of).reached(billed, sum((line.fees for line in month), start=zero)):
        return None
    return _invoice(of, Period(of.current_period_start, now), interim=True)


def _early(meter: Meter) -> bool:
    """Whether a month that goes on says what is used by now. A mean is of the whole month: it is billed at its end."""
    return meter.aggregation != "time_weighted"


def _limits(of: Subscription) -> limits.Limits:
    """Those of the plan itself; its add-ons' use counts towards them."""
    if not of.items:
        return limits.Limits()
    plan = session().get_one(Plan, subscriptions.main_item(of).plan_id)
    return limits.of_plan(plan, of.currency)


def _invoice(of: Subscription, period: Period, *, interim: bool = False) -> UUID | None:
    charges = [
        charge
        for charge in closing.usage_charges(of, period, interim=interim)
        if not charge.details["interim"] or _early(metering.meters()[charge.details["meter"]])
    ]
    if not charges:
        return None
    return _made(of, charges, lambda invoice_id: closing.close(of, period.end, invoice_id))


def _made(of: Subscription, charges: Sequence[Charge], billed: Callable[[UUID], object]) -> UUID:
    """The invoice for these charges, finalised and committed. `billed` notes what is on it."""
    seller = session().get_one(Seller, of.seller_id)
    bill = invoices.rate(of.currency, charges, of.id)
    invoice = invoices.compose(bill, seller=seller, subscription_id=of.id, period=None)
    invoices.finalise(invoice)
    session().flush()  # what it bills refers to it
    billed(invoice.id)
    invoices.number(invoice)
    restart()
    return invoice.id
