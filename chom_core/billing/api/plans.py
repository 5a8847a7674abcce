"""Subscriptions over the API: look at one, preview a change, make it, schedule it, pause, cancel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chom_core.billing.api.base import api
from chom_core.billing.reads import plans as reads
from chom_core.billing.schemas import plans as schemas
from chom_core.billing.service.changes import changing, ending
from chom_core.billing.service.changes.payments import Paying
from chom_core.billing.service.changes.reckoning import Wanted
from chom_core.billing.service.subscribing import subscriptions
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod

_ONE = "/subscriptions/<uuid:subscription_id>"


@api.get(_ONE, scope="billing:read", out=schemas.SubscriptionDetailsSchema)
def subscription(subscription_id: UUID) -> Any:
    """One subscription: its parts, its coupons, what is to change."""
    return reads.subscription(subscription_id)


@api.get(f"{_ONE}/changes", scope="billing:read", out=schemas.ChangeSchema, many=True)
def subscription_changes(subscription_id: UUID) -> Any:
    """What has become of earlier changes, newest first."""
    subscriptions.subscription(subscription_id)
    return reads.history(subscription_id)


@api.post(
    f"{_ONE}/preview",
    scope="billing:read",
    into=schemas.WantedSchema,
    out=schemas.ChangePreviewSchema,
    status=200,
)
def preview_change(body: dict[str, Any], subscription_id: UUID) -> Any:
    """What a change would come to, to the cent. Confirm it with the `at` that comes back. Nothing is written."""
    return changing.preview_change(subscription_id, _wanted(body), when=body["when"], at=body["at"])


@api.post(
    f"{_ONE}/change", scope="billing:write", into=schemas.ConfirmSchema, out=schemas.ChangedSchema, status=200
)
def change_subscription(body: dict[str, Any], subscription_id: UUID) -> Any:
    """Change it: dearer at once, charged before it takes effect; cheaper at the end of the period."""
    of = subscriptions.subscription(subscription_id)
    expected = Money(body["expected"], of.currency) if body["expected"] is not None else None
    paying = Paying(expected=expected, off_session=True)
    return changing.change(
        subscription_id, _wanted(body), when=body["when"], at=body["at"], paying=paying, reason=body["reason"]
    )


@api.post(
    f"{_ONE}/changes",
    scope="billing:write",
    into=schemas.ScheduleSchema,
    out=schemas.ChangeSchema,
    status=201,
)
def schedule_change(body: dict[str, Any], subscription_id: UUID) -> Any:
    """Change it at an instant to come, or at the end of the period where `at` is left out."""
    row = changing.schedule_change(subscription_id, _wanted(body), body["at"], reason=body["reason"])
    return reads.change(row)


@api.delete("/changes/<uuid:change_id>", scope="billing:write", out=schemas.ChangeSchema, status=200)
def cancel_change(change_id: UUID) -> Any:
    """Take a change back that has not happened yet."""
    return reads.change(changing.cancel_change(change_id))


@api.post(
    f"{_ONE}/cancel",
    scope="billing:write",
    into=schemas.CancelSchema,
    out=schemas.SubscriptionDetailsSchema,
    status=200,
)
def cancel_subscription(body: dict[str, Any], subscription_id: UUID) -> Any:
    """End it: at the end of what is paid, on a day within it, or now; what is unused then becomes account credit."""
    if body["on"] is not None:
        ending.cancel_on(subscription_id, body["on"], reason=body["reason"])
    elif body["when"] == "now":
        ending.cancel_now(subscription_id, reason=body["reason"])
    else:
        subscriptions.cancel(subscription_id, reason=body["reason"])
    return reads.subscription(subscription_id)


@api.post(f"{_ONE}/keep", scope="billing:write", out=schemas.SubscriptionDetailsSchema, status=200)
def keep_subscription(subscription_id: UUID) -> Any:
    """Take a cancellation back, before it takes effect."""
    subscriptions.keep(subscription_id)
    return reads.subscription(subscription_id)


@api.post(
    f"{_ONE}/pause",
    scope="billing:write",
    into=schemas.PauseSchema,
    out=schemas.SubscriptionDetailsSchema,
    status=200,
)
def pause_subscription(body: dict[str, Any], subscription_id: UUID) -> Any:
    """Nothing is billed or granted until it is resumed."""
    ending.pause(subscription_id, now=body["now"], resume_at=body["resume_at"], reason=body["reason"])
    return reads.subscription(subscription_id)


@api.post(f"{_ONE}/resume", scope="billing:write", out=schemas.SubscriptionDetailsSchema, status=200)
def resume_subscription(subscription_id: UUID) -> Any:
    """It goes on: a new period begins now and is charged."""
    ending.resume(subscription_id)
    return reads.subscription(subscription_id)


@api.post(
    f"{_ONE}/billing-day",
    scope="billing:write",
    into=schemas.BillingDaySchema,
    out=schemas.SubscriptionDetailsSchema,
    status=200,
)
def change_billing_day(body: dict[str, Any], subscription_id: UUID) -> Any:
    """Begin periods on another day of the month; no day is billed twice."""
    ending.change_billing_day(subscription_id, body["day"])
    return reads.subscription(subscription_id)


def _wanted(body: dict[str, Any]) -> Wanted:
    period = BillingPeriod(body["period"]) if body["period"] else None
    return Wanted(body["kind"], body["item"], body["plan"], period, body["quantity"])
