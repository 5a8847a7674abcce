"""A change takes effect: the items become what was reckoned, the time is noted as billed, features follow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chom_core.audit.service import Subject, record
from chom_core.billing.models import (
    BilledPeriod,
    Invoice,
    Plan,
    Subscription,
    SubscriptionChange,
    SubscriptionItem,
)
from chom_core.billing.service.changes import billed
from chom_core.billing.service.changes.reckoning import After, Reckoning
from chom_core.billing.service.credit import giving
from chom_core.billing.service.offers import trials
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage import seams
from chom_core.database import clock, session
from chom_core.plugin_host import gate
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod
from chom_core.work import emit


def terms(found: Reckoning) -> dict[str, Any]:
    """The reckoning as it is kept with a change that waits for its payment."""
    return {
        "items": [_kept(one) for one in found.items if one.changed],
        "period": found.period.value,
        "part": [found.part.start.isoformat(), found.part.end.isoformat()],
        "nets": dict(found.nets),
        "back": [[str(one.billed_id), amount.amount] for one, amount in found.back],
        "usage": any(one.repriced and one.changed and not one.fresh for one in found.items),
    }


def before(of: Subscription) -> dict[str, Any]:
    """What was, for the history."""
    return {
        "period": of.billing_period,
        "items": [
            {"id": str(item.id), "plan": item.plan_code, "quantity": item.quantity, "amount": item.amount}
            for item in of.items
        ],
    }


def paid(invoice: Invoice) -> None:
    """The invoice of a change is paid: the change takes effect. An invoice of no change is left alone."""
    query = select(SubscriptionChange).where(
        SubscriptionChange.invoice_id == invoice.id, SubscriptionChange.status == "paying"
    )
    change = session().scalar(query)
    if change is not None:
        apply(change, invoice)


def apply(change: SubscriptionChange, invoice: Invoice | None) -> None:
    """Make the frozen terms of a change true, once."""
    of = subscriptions.subscription(change.subscription_id, lock=True)
    at, kept = change.effective_at, change.terms
    touched = [UUID(one["id"]) for one in kept["items"]]
    gone = billed.rest(of, at, items=touched) if touched else []
    if invoice is not None and kept["usage"]:
        seams.usage_billed(of, at, invoice.id, last=True)
    billed.close(gone, at)
    _items(of, kept["items"], at)
    turned = kept["period"] != of.billing_period
    on_trial = of.trial_ends_at is not None and at < of.trial_ends_at
    of.billing_period = kept["period"]
    if on_trial:
        _trial(of, at)
    elif turned:
        start, end = (datetime.fromisoformat(one) for one in kept["part"])
        of.current_period_start, of.current_period_end = start, end
    session().flush()
    session().expire(of, ["items"])
    if invoice is not None:
        billed.record(invoice, [of], kept["nets"])
    for billed_id, amount in kept["back"]:
        row = session().get_one(BilledPeriod, UUID(billed_id))
        giving.back(
            row,
            Money(amount, row.currency),
            key=f"change:{change.id}",
            reason=change.reason or "Plan changed",
        )
    done(change, of)


def at_boundary(
    change: SubscriptionChange, of: Subscription, items: Sequence[After], period: BillingPeriod
) -> None:
    """A change at the end of a period: nothing is credited; the renewal that follows bills what is then."""
    items_only(of, items, period, change.effective_at, preview=False)
    done(change, of)


def items_only(
    of: Subscription, items: Sequence[After], period: BillingPeriod, at: datetime, *, preview: bool
) -> None:
    """The items and the billing period, and nothing else: a preview of a renewal looks at them, and rolls back."""
    _items(of, [_kept(one) for one in items if one.changed], at, preview=preview)
    of.billing_period = period.value
    session().flush()
    session().expire(of, ["items"])


def done(change: SubscriptionChange, of: Subscription) -> None:
    """It is so now: features, audit, event."""
    subscriptions.entitle(of)
    change.status, change.done_at = "done", clock.now()
    session().flush()
    titles = ", ".join(item.title for item in of.items)
    facts = {
        "kind": change.kind,
        "plan": change.plan_code,
        "quantity": change.quantity,
        "period": of.billing_period,
    }
    record(
        "subscription.changed", Subject("subscription", of.id, titles), before=change.before, after=facts,
        reason=change.reason,
    )  # fmt: skip
    emit(
        "subscription.changed",
        subject=f"subscription:{of.id}",
        payload={"subscription_id": str(of.id), "change_id": str(change.id), **facts},
    )


def _items(of: Subscription, wanted: list[dict[str, Any]], at: datetime, *, preview: bool = False) -> None:
    have = {item.id: item for item in of.items}
    for one in wanted:
        item = have.get(UUID(one["id"]))
        if one["gone"]:
            assert item is not None
            item.ended_at = at
            if not preview:
                gate.entitle(of.tenant_id, billed.source(item), (), item.title)
            continue
        if item is None:
            item = SubscriptionItem(
                id=UUID(one["id"]),
                tenant_id=of.tenant_id,
                subscription_id=of.id,
                currency=of.currency,
                priced_at=at,
            )
            session().add(item)
        if one["repriced"] or one["fresh"]:
            item.priced_at = at
        item.plan_id, item.plan_code, item.shape = UUID(one["plan_id"]), one["plan"], one["shape"]
        item.title, item.quantity, item.amount = one["title"], one["quantity"], one["amount"]


def _trial(of: Subscription, at: datetime) -> None:
    """Within the trial the new plan's days count from the first start; a trial that is over then ends now."""
    plan = session().get_one(Plan, subscriptions.main_item(of).plan_id)
    ends = max(trials.after_change(of, plan), at)
    of.trial_ends_at = of.current_period_end = ends
    if of.alignment == "anniversary":
        of.anchor = ends


def _kept(one: After) -> dict[str, Any]:
    return {
        "id": str(one.item_id), "plan_id": str(one.plan_id), "plan": one.plan_code, "title": one.title,
        "shape": one.shape, "quantity": one.quantity, "amount": one.amount.amount, "gone": one.gone,
        "fresh": one.fresh, "repriced": one.repriced,
    }  # fmt: skip
