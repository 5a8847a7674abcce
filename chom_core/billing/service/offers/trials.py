"""Trials: free days at the beginning, consumed once per customer, whatever was tried first."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from chom_core.billing.models import Plan, Subscription
from chom_core.billing.rules.trials import trial_end
from chom_core.database import session


def consumed() -> bool:
    """Has the current organisation had a trial? One that never began (the card was refused) does not count."""
    query = select(Subscription.id).where(
        Subscription.trial_ends_at.is_not(None), Subscription.status != "incomplete"
    )
    return session().scalar(query.limit(1)) is not None


def end_for(plan: Plan, start: datetime, zone: str) -> datetime | None:
    """When the trial of a plan that begins at `start` ends; None where it has none, or had one before."""
    if not plan.trial_days or consumed():
        return None
    return trial_end(start, plan.trial_days, zone)


def after_change(of: Subscription, plan: Plan) -> datetime:
    """When the trial ends after a change to `plan` within it: its days count from the first start as well."""
    return trial_end(of.started_at or of.created_at, plan.trial_days, of.zone)
