"""What happens at an instant: changes and cancellations within a period, and what its end brings before the bill."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import select

from chom_core.billing.models import Plan, Subscription, SubscriptionChange
from chom_core.billing.rules.cycles import local_date
from chom_core.billing.rules.proration import Proration, used
from chom_core.billing.service.changes import applying, billed, ending, reckoning, rows
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import clock, session
from chom_core.values.errors import ChomError
from chom_core.values.period import BillingPeriod, Period
from chom_core.work import emit


def before_the_end(subscription_id: UUID) -> bool:
    """Do what fell due within the period, in the order of time; True where the period itself has ended by now."""
    from chom_core.billing.service.changes import changing  # verbs stand above renewals

    of = subscriptions.subscription(subscription_id)
    session().refresh(of)
    now = clock.now()
    for row in _due(of, now):
        if of.cancel_at is not None and of.cancel_at <= row.effective_at:
            break
        if row.kind in ("pause", "resume"):
            ending.run(row.id)
        else:
            changing.run(row.id)
        session().refresh(of)
    leaving = of.status in subscriptions.KEPT and of.cancel_at is not None and of.cancel_at <= now
    if leaving and of.cancel_at and (of.cancel_at < of.current_period_end or of.status == "paused"):
        ending.cancel_now(of.id, at=of.cancel_at)
        session().refresh(of)
    return of.status in subscriptions.LIVE and of.current_period_end <= now


def _due(of: Subscription, now: datetime) -> list[SubscriptionChange]:
    query = select(SubscriptionChange).where(
        SubscriptionChange.subscription_id == of.id,
        SubscriptionChange.status == "scheduled",
        SubscriptionChange.at_period_end.is_(False),
        SubscriptionChange.effective_at <= now,
    )
    if of.status != "paused":
        query = query.where(SubscriptionChange.effective_at < of.current_period_end)
    return list(session().scalars(query.order_by(SubscriptionChange.effective_at, SubscriptionChange.id)))


def at_the_end(of: Subscription, at: datetime, waiting: Iterable[SubscriptionChange]) -> bool:
    """What waits for the end of this period: of the `waiting` changes those that are due by then, today's prices, the
    end of a trial. False: it is paused now.
    """
    due = [
        row for row in waiting if row.status == "scheduled" and (row.at_period_end or row.effective_at <= at)
    ]
    for row in sorted(due, key=lambda row: (row.created_at, row.id)):
        row.effective_at = at
        if row.kind == "pause":
            ending.paused(of, at, row)
            return False
        _apply(row, of, at)
    if of.reprice:
        _reprice(of, at)
    if of.status == "trialing":
        of.status = "active"
        emit(
            "subscription.trial_ended",
            subject=f"subscription:{of.id}",
            payload={"subscription_id": str(of.id)},
        )
    return True


def _apply(row: SubscriptionChange, of: Subscription, at: datetime) -> None:
    try:
        items, period = reckoning.after(of, rows.wanted_of(row), at)
    except ChomError as refusal:  # the plan is sold no more, say: it stays as it is
        rows.failed(row.id, refusal.detail)
        return
    applying.at_boundary(row, of, items, period)


def _reprice(of: Subscription, at: datetime) -> None:
    """Staff moved it to today's prices."""
    for item in of.items:
        plan = session().get_one(Plan, item.plan_id)
        found = catalogue.price_row(plan, of.currency, BillingPeriod(of.billing_period), at)
        if found is not None:
            item.amount, item.priced_at = found.amount, at
    of.reprice = False
    session().flush()
    emit("subscription.repriced", subject=f"subscription:{of.id}", payload={"subscription_id": str(of.id)})


def in_arrears(of: Subscription, at: datetime, *, day_used: bool = False) -> list[Charge]:
    """What each item costs from where it was billed up to `at`, where periods are billed afterwards.

    `day_used`: by days, the day of `at` counts: a cancellation's rule, as when what is paid is given back.
    """
    made: list[Charge] = []
    by, grid = Proration(of.proration), subscriptions.cycle(of)
    for item in of.items:
        start = max(billed.until(item) or of.current_period_start, of.current_period_start)
        if start < at:
            for charge in subscriptions.charges(of, Period(start, at)):
                if charge.source == billed.source(item):
                    price, full = charge.unit * item.quantity, grid.containing(start)
                    cut = day_used and at < full.end and charge.kind in billed.KINDS
                    due = used(price, start, full, at, by, of.zone, day_used=True) if cut else charge.total
                    made.append(replace(charge, amount=due))
    return made


def local_day(instant: datetime, zone: str) -> date:
    """The customer's date at an instant."""
    return local_date(instant, zone)
