"""Ending now or on a day, pausing and coming back. What is paid and unused is given back as account credit."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from flask_babel import gettext as _

from chom_core.audit.service import Subject, record
from chom_core.billing.models import BilledPeriod, Seller, Subscription, SubscriptionChange
from chom_core.billing.rules.cycles import instant_of, local_date
from chom_core.billing.service.changes import billed, payments, rows
from chom_core.billing.service.changes.reckoning import Wanted
from chom_core.billing.service.credit import giving
from chom_core.billing.service.invoicing import invoices, sellers
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage import seams
from chom_core.database import clock, restart, session
from chom_core.values.errors import Conflict, Invalid
from chom_core.values.money import Money
from chom_core.work import emit


def cancel_on(subscription_id: UUID, day: date, *, reason: str = "") -> Subscription:
    """End it on a local date to come: with the period that ends that day, else at that day's begin."""
    sellers.lock_profile()
    of = subscriptions.cancel(subscription_id, reason=reason)
    end = of.current_period_end
    if local_date(end, of.zone) == day:
        return of
    instant = instant_of(day, of.zone)
    if not clock.now() < instant <= end:
        raise Invalid(
            _("It can end within the period that is paid."),
            fields={
                "day": [_("After today, and not after %(day)s.", day=local_date(end, of.zone).isoformat())]
            },
        )
    of.cancel_at = instant
    session().flush()
    return of


def cancel_now(subscription_id: UUID, *, reason: str = "", at: datetime | None = None) -> Money:
    """End it at once: features go, what was used is billed, what is paid and unused becomes account credit.

    Returns the credit, tax included. By days, today counts as used.
    """
    sellers.lock_profile()
    of = subscriptions.subscription(subscription_id, lock=True)
    if of.status not in subscriptions.KEPT:
        raise Conflict(_("This subscription is %(status)s.", status=of.status), fix=_("Reload the page."))
    payments.settle_paying(of)
    instant = at or clock.now()
    if reason:
        of.cancel_reason = reason.strip()[:300]
    of.cancel_at = instant
    was_paused = of.status == "paused"
    titles = ", ".join(item.title for item in of.items)
    record("subscription.ended", Subject("subscription", of.id, titles), reason=of.cancel_reason)
    for row in rows.waiting(of.id):
        rows.cancel(row.id, reason=_("The subscription ended."))
    charges = [] if was_paused else _owed(of, instant, on_trial=of.status == "trialing")
    credit = Money.zero(of.currency) if was_paused else _give_back(of, instant, "ended", _("Ended early"))
    subscriptions.end(of, at=instant)
    _bill(of, charges, instant)
    return credit


def pause(
    subscription_id: UUID, *, now: bool = False, resume_at: datetime | None = None, reason: str = ""
) -> SubscriptionChange:
    """Nothing is billed or granted until it is resumed: from the end of the period, or at once."""
    sellers.lock_profile()
    of = subscriptions.subscription(subscription_id, lock=True)
    if of.status not in ("trialing", "active"):
        raise Conflict(_("This subscription is %(status)s.", status=of.status), fix=_("Reload the page."))
    if of.cancel_at is not None:
        raise Conflict(_("This subscription is about to end."), fix=_("Keep it first, then pause it."))
    start = clock.now() if now else of.current_period_end
    if resume_at is not None and (resume_at.tzinfo is None or resume_at <= start):
        raise Invalid(
            _("It cannot come back before it is paused."),
            fields={"resume_at": [_("After the pause begins.")]},
        )
    payments.clear_the_way(of, "pause")
    payments.clear_the_way(of, "resume")
    if now:
        payments.settle_paying(of)
        row = rows.new(of, Wanted("pause"), start, reason)
        on_trial = of.status == "trialing"
        _give_back(of, start, f"pause:{row.id}", _("Paused"))
        paused(of, start, row)
        _bill(of, _owed(of, start, on_trial=on_trial), start)
    else:
        row = rows.schedule(of, Wanted("pause"), start, at_period_end=True, reason=reason)
    if resume_at is not None:
        rows.schedule(of, Wanted("resume"), resume_at, at_period_end=False, reason=reason)
    return row


def paused(of: Subscription, at: datetime, row: SubscriptionChange) -> None:
    """From `at` on it is paused: its features go."""
    of.status, of.paused_at, of.current_period_end = "paused", at, at
    session().flush()
    subscriptions.entitle(of)
    row.status, row.done_at = "done", clock.now()
    titles = ", ".join(item.title for item in of.items)
    record("subscription.paused", Subject("subscription", of.id, titles), reason=row.reason)
    emit(
        "subscription.paused", subject=f"subscription:{of.id}",
        payload={"subscription_id": str(of.id), "at": at.isoformat()},
    )  # fmt: skip


def resume(subscription_id: UUID, *, at: datetime | None = None) -> Subscription:
    """It goes on: a new period begins now, and is billed and charged as a renewal. Commits on the way."""
    from chom_core.billing.service.subscribing import renewal  # renewals stand above what ends them

    sellers.lock_profile()
    of = subscriptions.subscription(subscription_id, lock=True)
    if of.status != "paused":
        raise Conflict(_("This subscription is %(status)s.", status=of.status), fix=_("Reload the page."))
    instant = at or clock.now()
    for row in rows.waiting(of.id):
        if row.kind == "resume":
            row.status, row.done_at = "done", clock.now()
    on_trial = of.trial_ends_at is not None and of.paused_at is not None and of.paused_at < of.trial_ends_at
    if on_trial:
        of.trial_ends_at = instant  # a trial is not kept over a pause
    if of.alignment == "anniversary" and of.billing_day is None:
        of.anchor = instant
    of.status, of.paused_at, of.current_period_start, of.current_period_end = "active", None, instant, instant
    session().flush()
    subscriptions.entitle(of)
    record("subscription.resumed", Subject("subscription", of.id, ", ".join(item.title for item in of.items)))
    emit("subscription.resumed", subject=f"subscription:{of.id}", payload={"subscription_id": str(of.id)})
    renewal.renew_due()
    return subscriptions.subscription(subscription_id)


def run(change_id: UUID) -> None:
    """A pause's scheduled end has come."""
    sellers.lock_profile()
    row = rows.locked(change_id)
    if row.status != "scheduled" or row.kind != "resume":
        return
    of = subscriptions.subscription(row.subscription_id, lock=True)
    if of.status == "paused":
        resume(of.id, at=row.effective_at)
    else:
        rows.cancel(row.id, reason=_("It is not paused."))


def change_billing_day(subscription_id: UUID, day: int | None) -> Subscription:
    """Begin periods on another day of the month from the next one on; None: on the day it was bought.

    What is billed stays billed: the next period begins where this one ends, is shorter, and costs its share.
    """
    sellers.lock_profile()
    of = subscriptions.subscription(subscription_id, lock=True)
    if of.status not in subscriptions.LIVE:
        raise Conflict(_("This subscription is %(status)s.", status=of.status), fix=_("Reload the page."))
    if day is not None and (isinstance(day, bool) or not isinstance(day, int) or not 1 <= day <= 31):
        raise Invalid(_("That is no day of the month."), fields={"day": [_("Between 1 and 31.")]})
    before = of.billing_day
    of.billing_day = day
    session().flush()
    record(
        "subscription.billing_day_changed", Subject("subscription", of.id, subscriptions.main_item(of).title),
        before={"day": before}, after={"day": day},
    )  # fmt: skip
    return of


def reprice(subscription_id: UUID) -> Subscription:
    """Staff: from its next renewal on it pays today's prices, for use as well."""
    of = subscriptions.subscription(subscription_id, lock=True)
    of.reprice = True
    session().flush()
    record("subscription.repriced", Subject("subscription", of.id, subscriptions.main_item(of).title))
    return of


def _owed(of: Subscription, at: datetime, *, on_trial: bool) -> list[Charge]:
    """What is not billed yet when it stops at `at`."""
    from chom_core.billing.service.changes import boundary

    arrears = boundary.in_arrears(of, at, day_used=True) if of.timing == "arrears" and not on_trial else []
    return [*arrears, *seams.usage_charges(of, at, last=True)]


def _bill(of: Subscription, charges: list[Charge], at: datetime) -> None:
    """The last invoice, where something is owed. It is charged by the hourly run, as every open one."""
    if not charges:
        seams.usage_billed(of, at, None, last=True)
        return
    bill = invoices.rate(of.currency, charges, of.id)
    seller = session().get_one(Seller, of.seller_id)
    invoice = invoices.draft(bill, seller=seller, subscription_id=of.id, period=None)
    billed.record(invoice, [of])
    seams.usage_billed(of, at, invoice.id, last=True)
    invoices.finalise(invoice)
    session().flush()
    invoices.number(invoice)
    restart()


def _give_back(of: Subscription, at: datetime, key: str, reason: str) -> Money:
    total = Money.zero(of.currency)
    found = billed.rest(of, at, day_used=True)
    for one in found:
        if one.credit:
            row = session().get_one(BilledPeriod, one.billed_id)
            total = total + giving.back(
                row, one.credit, key=f"subscription:{of.id}:{key}:{row.id}", reason=reason
            )
    billed.close(found, at)
    return total
