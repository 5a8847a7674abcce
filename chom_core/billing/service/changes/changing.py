"""Changing a subscription: plan, quantity, add-ons; now with proration, at the end of the period, or on a day.

An upgrade is charged first and takes effect when it is paid: a declined card leaves everything as it was. A change
that waits can be taken back until its instant.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct

from chom_core.billing.models import Subscription, SubscriptionChange
from chom_core.billing.service.buying import allowing
from chom_core.billing.service.changes import applying, payments, reckoning, rows
from chom_core.billing.service.changes.payments import Changed, Paying
from chom_core.billing.service.changes.reckoning import Wanted
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.subscribing import renewal, subscriptions
from chom_core.database import clock, session
from chom_core.values.billing import Bill
from chom_core.values.errors import ChomError, Conflict, Invalid
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod

#: How old the instant of a preview may be when it is confirmed, and how far ahead a change may be set.
FRESH, FARTHEST = timedelta(minutes=30), timedelta(days=730)
When = Literal["auto", "now", "period_end"]
AT_ONCE = Paying()


class Preview(Struct, frozen=True):
    """What a change comes to. `now`: whether it is charged at `at`; else `bill` is the first renewal with it."""

    at: datetime
    now: bool
    bill: Bill
    credit: Money
    charge: Money
    gives_back: Money


def preview_change(
    subscription_id: UUID, wanted: Wanted, *, when: When = "auto", at: datetime | None = None
) -> Preview:
    """What the change would come to: the invoice, to the cent, where it is confirmed with the same `at`."""
    of = _changeable(subscription_id)
    wanted = _complete(of, wanted)
    if _now(of, wanted, when):
        found = reckoning.at_once(of, wanted, _instant(of, at))
        return Preview(found.at, True, found.bill, found.credit, found.charge, found.gives_back)
    bill = _renewal_with(of, wanted)
    zero = Money.zero(of.currency)
    return Preview(of.current_period_end, False, bill, zero, zero, zero)


def change_plan(
    subscription_id: UUID,
    plan_code: str,
    *,
    item_id: UUID | None = None,
    period: BillingPeriod | None = None,
    when: When = "auto",
    at: datetime | None = None,
    paying: Paying = AT_ONCE,
    reason: str = "",
) -> Changed:
    """Another plan or billing period. Dearer per month: now, with proration; cheaper: at the end of the period."""
    wanted = Wanted("plan", item_id, plan_code, period)
    return change(subscription_id, wanted, when=when, at=at, paying=paying, reason=reason)


def change_quantity(
    subscription_id: UUID,
    item_id: UUID,
    quantity: int,
    *,
    when: When = "auto",
    at: datetime | None = None,
    paying: Paying = AT_ONCE,
) -> Changed:
    """More: now, with proration; fewer: at the end of the period."""
    return change(
        subscription_id, Wanted("quantity", item_id, quantity=quantity), when=when, at=at, paying=paying
    )


def change(
    subscription_id: UUID,
    wanted: Wanted,
    *,
    when: When = "auto",
    at: datetime | None = None,
    paying: Paying = AT_ONCE,
    reason: str = "",
) -> Changed:
    """Change a subscription. Commits on the way. Raises Invalid, Conflict, NotFound, PaymentRequired."""
    sellers.lock_profile()
    of = _changeable(subscription_id, lock=True)
    wanted = _complete(of, wanted)
    if not _now(of, wanted, when):
        return _later(of, wanted, reason)
    instant = _instant(of, at)
    pressed = payments.pressed(of, paying)
    if pressed is not None:
        return pressed
    payments.clear_the_way(of, wanted.kind)
    found = reckoning.at_once(of, wanted, instant)
    if found.bill.total:
        item = subscriptions.main_item(of)
        allowing.ask(item.title, found.bill.subtotal, kind="change", service_id=item.service_id)
    row = rows.new(of, wanted, instant, reason)
    outcome = payments.charge(of, row, found, paying)
    if outcome.state == "done":
        renewal.renew_due()  # a change within a trial may have ended it
    return outcome


def schedule_change(
    subscription_id: UUID, wanted: Wanted, at: datetime | None = None, *, reason: str = ""
) -> SubscriptionChange:
    """Change it at an instant, or (None) at the end of the period. One that waited for the same is replaced."""
    sellers.lock_profile()
    of = _changeable(subscription_id, lock=True)
    wanted = _complete(of, wanted)
    reckoning.after(of, wanted, at or of.current_period_end)  # refuses now what cannot be then
    if at is None:
        payments.clear_the_way(of, wanted.kind)
        return rows.schedule(of, wanted, of.current_period_end, at_period_end=True, reason=reason)
    if at.tzinfo is None or not clock.now() < at <= clock.now() + FARTHEST:
        raise Invalid(
            _("That is not a time to come."),
            fields={"at": [_("After now, within two years, with its zone.")]},
        )
    payments.clear_the_way(of, wanted.kind)
    return rows.schedule(of, wanted, at, at_period_end=False, reason=reason)


def run(change_id: UUID) -> None:
    """A scheduled change's instant has come. What cannot be is noted and told; it is not tried again."""
    sellers.lock_profile()
    row = rows.locked(change_id)
    if row.status != "scheduled" or row.at_period_end or row.effective_at > clock.now():
        return
    of = subscriptions.subscription(row.subscription_id, lock=True)
    try:
        if of.status not in ("trialing", "active"):
            raise Conflict(_("The subscription is %(status)s.", status=of.status))
        found = reckoning.at_once(of, rows.wanted_of(row), row.effective_at)
        outcome = payments.charge(of, row, found, Paying(off_session=True, attempt=f"change-{row.id}"))
    except ChomError as refusal:
        rows.failed(change_id, refusal.detail)
        return
    if outcome.state != "done":
        payments.drop(change_id, outcome.message or _("The payment did not go through."))


def _changeable(subscription_id: UUID, *, lock: bool = False) -> Subscription:
    of = subscriptions.subscription(subscription_id, lock=lock)
    if of.status == "past_due":
        raise Conflict(_("An invoice of this plan is open."), fix=_("Pay it first, then change the plan."))
    if of.status not in ("trialing", "active"):
        raise Conflict(_("This subscription is %(status)s.", status=of.status), fix=_("Reload the page."))
    if of.cancel_at is not None:
        raise Conflict(_("This subscription is about to end."), fix=_("Keep it first, then change it."))
    return of


def _complete(of: Subscription, wanted: Wanted) -> Wanted:
    """Without an item the plan itself is meant."""
    if wanted.kind in ("plan", "quantity") and wanted.item_id is None:
        item = subscriptions.main_item(of)
        return Wanted(wanted.kind, item.id, wanted.plan_code, wanted.period, wanted.quantity)
    return wanted


def _instant(of: Subscription, at: datetime | None) -> datetime:
    """Now, or the instant of the preview that is confirmed; not before the period, which may be billed a bit early."""
    now, start = clock.now(), of.current_period_start
    if at is None or at == start > now:
        return max(now, start)
    if at.tzinfo is None or not now - FRESH <= at <= now:
        raise Conflict(_("This preview is too old."), fix=_("Look at the new amount and confirm again."))
    return max(at, start)


def _now(of: Subscription, wanted: Wanted, when: When) -> bool:
    """At once where it is dearer or more, or still free; at the end where the rest is paid for and would be lost."""
    if when != "auto":
        return when == "now"
    if of.status == "trialing" or wanted.kind == "add":
        return True
    if wanted.kind == "remove":
        return False
    item = next((one for one in of.items if one.id == wanted.item_id), None)
    if wanted.kind == "quantity" or item is None:
        return item is None or (wanted.quantity or 0) >= item.quantity
    plan = catalogue.plan(wanted.plan_code)
    period = wanted.period or BillingPeriod(of.billing_period)
    new = Decimal(catalogue.price(plan, of.currency, period).amount) / period.months
    old = Decimal(item.amount) / BillingPeriod(of.billing_period).months
    return new >= old


def _later(of: Subscription, wanted: Wanted, reason: str) -> Changed:
    """At the end of the period, since the rest of it is paid for."""
    reckoning.after(of, wanted, of.current_period_end)  # refuses now what cannot be then
    payments.clear_the_way(of, wanted.kind)
    row = rows.schedule(of, wanted, of.current_period_end, at_period_end=True, reason=reason)
    return Changed("scheduled", row.id)


def _renewal_with(of: Subscription, wanted: Wanted) -> Bill:
    """The first renewal after a change at the end of the period; what it takes to know it is rolled back."""
    with session().begin_nested() as savepoint:
        items, period = reckoning.after(of, wanted, of.current_period_end)
        applying.items_only(of, items, period, of.current_period_end, preview=True)
        bill = renewal.next_bill(of)
        savepoint.rollback()
    session().expire_all()
    return bill


def cancel_change(change_id: UUID, *, reason: str = "") -> SubscriptionChange:
    """Take a change back that has not happened yet."""
    return rows.cancel(change_id, reason=reason)
