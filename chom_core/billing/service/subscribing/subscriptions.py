"""Subscriptions: begun incomplete, activated by a payment, ended; their cycle, their charges, and what they grant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from chom_core.audit.service import Subject, record
from chom_core.billing.models import Invoice, Plan, Subscription, SubscriptionItem
from chom_core.billing.rules.cycles import Alignment, Cycle
from chom_core.billing.rules.proration import Proration, prorate
from chom_core.billing.rules.trials import charged_from
from chom_core.billing.service.changes import billed
from chom_core.billing.service.changes.billed import source
from chom_core.billing.service.invoicing import rating, sellers
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.offers import coupons, trials
from chom_core.database import Tenant, afresh, clock, current, session
from chom_core.plugin_host import gate
from chom_core.values.billing import PlanShape
from chom_core.values.errors import Conflict, NotFound
from chom_core.values.ids import parse_uuid, uuid7
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod, Period
from chom_core.work import emit

__all__ = ["source"]
LIVE = ("trialing", "active", "past_due")
#: Not over: a paused one comes back.
KEPT = (*LIVE, "paused")
_LIVE = select(Subscription).where(Subscription.status.in_(LIVE)).order_by(Subscription.id)


def hosting(*, any_state: bool = False) -> Subscription | None:
    """The organisation's hosting subscription where it lives; with `any_state` also one unpaid or paused."""
    states = (*KEPT, "incomplete") if any_state else LIVE
    query = select(Subscription).where(
        Subscription.shape == PlanShape.HOSTING.value, Subscription.status.in_(states)
    )
    return session().scalar(query)


def live() -> list[Subscription]:
    """Every subscription that is paid for, oldest first."""
    return list(session().scalars(_LIVE))


def kept() -> list[Subscription]:
    """Every subscription that is not over, paused ones too, oldest first."""
    query = select(Subscription).where(Subscription.status.in_(KEPT)).order_by(Subscription.id)
    return list(session().scalars(query))


def subscription(subscription_id: UUID, *, lock: bool = False) -> Subscription:
    """One of the organisation's; NotFound otherwise. `lock` reads it afresh and locks its row."""
    query = select(Subscription).where(Subscription.id == subscription_id)
    if lock:
        query = afresh(query.options(joinedload(Subscription.items)), of=Subscription)
    found = session().scalars(query).unique().one_or_none()
    if found is None:
        raise missing()
    return found


def missing() -> NotFound:
    """What is said of a subscription that is not the organisation's."""
    return NotFound(_("There is no such subscription."), fix=_("Look at what you have under Billing."))


def main_item(of: Subscription) -> SubscriptionItem:
    """The plan that the add-ons of a subscription add to."""
    return next((item for item in of.items if item.shape != PlanShape.ADDON.value), of.items[0])


def draft(
    plan: Plan, unit: Money, period: BillingPeriod, quantity: int, title: str, seller_id: UUID
) -> Subscription:
    """The subscription that buying the plan now would begin, at today's price. Nothing is written: previews use it."""
    tenant_id = current().tenant_id
    assert tenant_id is not None
    zone = session().get_one(Tenant, tenant_id).zone
    now = clock.now()
    free_until = trials.end_for(plan, now, zone)
    made = Subscription(
        id=uuid7(), tenant_id=tenant_id, seller_id=seller_id, shape=plan.shape, status="incomplete",
        currency=unit.currency, billing_period=period.value, zone=zone, proration=plan.proration,
        alignment=plan.alignment, timing=plan.timing, started_at=now, trial_ends_at=free_until,
        anchor=free_until or now, billing_day=sellers.billing_day() if plan.alignment == "anniversary" else None,
    )  # fmt: skip
    first = Period(now, free_until) if free_until else cycle(made).first(now)
    made.current_period_start, made.current_period_end = first.start, first.end
    item = SubscriptionItem(
        id=uuid7(), tenant_id=tenant_id, plan_id=plan.id, plan_code=plan.code, title=title, shape=plan.shape,
        quantity=quantity, amount=unit.amount, currency=unit.currency, priced_at=now,
    )  # fmt: skip
    made.items.append(item)
    return made


def begin(
    plan: Plan, unit: Money, period: BillingPeriod, quantity: int, title: str, seller_id: UUID
) -> Subscription:
    """An incomplete subscription with one item at today's price. It grants nothing yet."""
    made = draft(plan, unit, period, quantity, title, seller_id)
    session().add(made)
    session().flush()
    return made


def cycle(of: Subscription) -> Cycle:
    """The grid of the subscription's periods, counted from its anchor on the customer's wall clock."""
    return Cycle.of(
        BillingPeriod(of.billing_period), of.anchor, of.zone, Alignment(of.alignment), of.billing_day
    )


def charges(of: Subscription, part: Period) -> list[Charge]:
    """What `part` of the subscription's time costs, item by item, at the frozen prices.

    A part that is shorter than the period of the cycle it lies in costs its share. In a trial nothing is charged.
    """
    if of.trial_ends_at is not None and part.start < of.trial_ends_at and part.end <= of.trial_ends_at:
        free = Money.zero(of.currency)
        return [_charge(of, item, part, free, free) for item in of.items]
    full = cycle(of).containing(part.start)
    by = Proration(of.proration)
    made = []
    for item in of.items:
        unit = Money(item.amount, item.currency)
        whole = unit * item.quantity
        amount = whole if part == full else prorate(whole, part, full, by, of.zone)
        made.append(_charge(of, item, part, unit, amount))
    return made


def _charge(of: Subscription, item: SubscriptionItem, part: Period, unit: Money, amount: Money) -> Charge:
    free = of.trial_ends_at is not None and part.end <= of.trial_ends_at
    return Charge(
        plan=item.plan_code,
        kind="trial" if free else kind(item),
        title=rating.describe(item.title, part, item.quantity),
        unit=unit,
        quantity=item.quantity,
        period=part,
        amount=amount,
        source=source(item),
        subscription_id=of.id,
    )


def kind(item: SubscriptionItem) -> str:
    """The kind of its lines: plan, service or addon."""
    return "plan" if item.shape == PlanShape.HOSTING.value else item.shape


def first_charges(of: Subscription) -> list[Charge]:
    """What is due when it begins: the first period, or nothing where it is billed afterwards."""
    if of.timing == "arrears" and of.trial_ends_at is None:
        return []
    return charges(of, current_period(of))


def current_period(of: Subscription) -> Period:
    return Period(of.current_period_start, of.current_period_end)


def period_after(of: Subscription) -> Period:
    """The period that follows, up to the next boundary counted from the anchor: the 31st comes back.

    After a trial it begins with the charge; where a whole local day is charged, with that day.
    """
    start, grid = of.current_period_end, cycle(of)
    if of.trial_ends_at is not None and start == of.trial_ends_at:
        start = charged_from(start, grid, Proration(of.proration))
    return Period(start, grid.containing(start).end)


def of_invoice(invoice: Invoice) -> list[Subscription]:
    """The subscriptions that an invoice bills: a renewal may be for several."""
    return [session().get_one(Subscription, one) for one in billed.subscriptions_of(invoice)]


def activate(of: Subscription) -> None:
    """Paid: the subscription lives, and its plans' features are granted. Again: nothing happens.

    One that has ended stays ended: what it still owed is paid now.
    """
    before = of.status
    if before == "cancelled" and of.ended_at is not None and _lived(of):
        return
    if before == "cancelled":
        raise Conflict(_("This subscription has ended."), fix=_("Buy the plan again."))
    if before not in ("incomplete", "past_due"):
        return
    on_trial = of.trial_ends_at is not None and clock.now() < of.trial_ends_at
    of.status = "trialing" if on_trial else "active"
    session().flush()
    entitle(of)
    titles = ", ".join(item.title for item in of.items)
    if before == "incomplete":
        record("subscription.activated", Subject("subscription", of.id, titles))
    emit(
        "subscription.activated" if before == "incomplete" else "subscription.restored",
        subject=f"subscription:{of.id}",
        payload={"subscription_id": str(of.id), "plans": [item.plan_code for item in of.items]},
    )


def _lived(of: Subscription) -> bool:
    query = select(Invoice.id).where(Invoice.subscription_id == of.id, Invoice.number.is_not(None)).limit(1)
    return session().scalar(query) is not None


def entitle(of: Subscription) -> None:
    """From now on its items grant what their plans say; one that does not live grants nothing."""
    for item in of.items:
        plan = session().get_one(Plan, item.plan_id)
        names = [feature.plugin for feature in plan.features] if of.status in LIVE else []
        gate.entitle(of.tenant_id, source(item), names, plan.title)


def past_due(of: Subscription) -> None:
    """A renewal was not paid. What it grants stays for now; dunning decides later."""
    if of.status == "active":
        of.status = "past_due"
        emit(
            "subscription.past_due", subject=f"subscription:{of.id}", payload={"subscription_id": str(of.id)}
        )


def end(of: Subscription, *, at: datetime | None = None) -> None:
    """It is over: nothing is billed or granted any more."""
    if of.status == "cancelled":
        return
    before = of.status
    of.status, of.ended_at = "cancelled", at or clock.now()
    session().flush()
    if before == "incomplete":
        of.trial_ends_at = None  # a trial that never began is not consumed
        coupons.release(of.id)
    if before in KEPT:
        entitle(of)
        emit(
            "subscription.ended",
            subject=f"subscription:{of.id}",
            payload={"subscription_id": str(of.id), "reason": of.cancel_reason},
        )


def cancel(subscription_id: UUID, *, reason: str = "") -> Subscription:
    """Do not renew: it runs to the end of what is paid, then ends by itself. `ending` ends it now, or on a day."""
    of = subscription(subscription_id, lock=True)
    if of.status not in LIVE:
        raise Conflict(_("This subscription is %(status)s.", status=of.status), fix=_("Reload the page."))
    of.cancel_at, of.cancel_reason = of.current_period_end, reason.strip()[:300]
    titles = ", ".join(item.title for item in of.items)
    record("subscription.cancelled", Subject("subscription", of.id, titles), reason=of.cancel_reason)
    emit(
        "subscription.cancelled",
        subject=f"subscription:{of.id}",
        payload={"subscription_id": str(of.id), "at": of.cancel_at.isoformat(), "reason": of.cancel_reason},
    )
    return of


def keep(subscription_id: UUID) -> Subscription:
    """Take a cancellation back, before it takes effect."""
    of = subscription(subscription_id, lock=True)
    if of.status not in LIVE:
        raise Conflict(_("This subscription is %(status)s.", status=of.status), fix=_("Buy the plan again."))
    if of.cancel_at is not None:
        record("subscription.kept", Subject("subscription", of.id, ", ".join(i.title for i in of.items)))
    of.cancel_at, of.cancel_reason = None, ""
    return of


def item_of(reference: str) -> SubscriptionItem | None:
    """The item that `source` named, where it is this organisation's."""
    found = item_id(reference)
    return session().get(SubscriptionItem, found) if found is not None else None


def item_id(reference: str) -> UUID | None:
    """The id in what `source` names; None where it names something else."""
    kind_, _, text = reference.partition(":")
    return parse_uuid(text) if kind_ == "item" else None
