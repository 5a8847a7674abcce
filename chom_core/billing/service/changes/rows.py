"""The rows of changes that wait: scheduled, found, taken back, failed."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core import database
from chom_core.audit.service import Subject, record
from chom_core.billing.models import Subscription, SubscriptionChange
from chom_core.billing.service.changes import applying
from chom_core.billing.service.changes.reckoning import Wanted
from chom_core.billing.service.invoicing import sellers
from chom_core.database import clock, current, session
from chom_core.values.errors import Conflict, NotFound
from chom_core.values.ids import uuid7
from chom_core.values.period import BillingPeriod
from chom_core.work import emit, enqueue

RUN, REMIND = "billing.run_change", "billing.remind_change"
WAITING = ("scheduled", "paying")


def waiting(subscription_id: UUID) -> list[SubscriptionChange]:
    """The changes of a subscription that have not happened yet, soonest first."""
    query = select(SubscriptionChange).where(
        SubscriptionChange.subscription_id == subscription_id, SubscriptionChange.status.in_(WAITING)
    )
    return list(session().scalars(query.order_by(SubscriptionChange.effective_at, SubscriptionChange.id)))


def locked(change_id: UUID) -> SubscriptionChange:
    """A change of the organisation, its row locked and read afresh; NotFound otherwise."""
    missing = NotFound(_("There is no such change."), fix=_("Look at your subscription under Billing."))
    return database.locked(SubscriptionChange, change_id, missing)


def wanted_of(row: SubscriptionChange) -> Wanted:
    period = BillingPeriod(row.billing_period) if row.billing_period else None
    return Wanted(row.kind, row.item_id, row.plan_code, period, row.quantity)


def new(of: Subscription, wanted: Wanted, at: datetime, reason: str) -> SubscriptionChange:
    row = SubscriptionChange(
        id=uuid7(), tenant_id=of.tenant_id, subscription_id=of.id, kind=wanted.kind,
        item_id=None if wanted.kind == "add" else wanted.item_id, plan_code=wanted.plan_code,
        billing_period=wanted.period.value if wanted.period else "", quantity=wanted.quantity, effective_at=at,
        reason=reason.strip()[:300], requested_by=(current().principal.name or "CHOM")[:254],
    )  # fmt: skip
    session().add(row)
    session().flush()
    return row


def schedule(
    of: Subscription, wanted: Wanted, at: datetime, *, at_period_end: bool, reason: str
) -> SubscriptionChange:
    row = new(of, wanted, at, reason)
    row.at_period_end = at_period_end
    row.before = applying.before(of)
    session().flush()
    subject = f"subscription:{of.id}"
    facts = {
        "subscription_id": str(of.id),
        "change_id": str(row.id),
        "at": at.isoformat(),
        "plan": row.plan_code,
    }
    if not at_period_end:
        enqueue(RUN, {"change_id": str(row.id)}, key=f"{RUN}:{row.id}", due_at=at)
    if at - clock.now() > timedelta(days=1):
        enqueue(REMIND, {"change_id": str(row.id)}, key=f"{REMIND}:{row.id}", due_at=at - timedelta(days=1))
    record(
        "subscription.change_scheduled",
        Subject("subscription", of.id, row.plan_code or row.kind),
        after=facts,
    )
    emit("subscription.change_scheduled", subject=subject, payload=facts)
    return row


def cancel(change_id: UUID, *, reason: str = "") -> SubscriptionChange:
    """Take a change back that has not happened yet."""
    sellers.lock_profile()
    row = locked(change_id)
    if row.status != "scheduled":
        raise Conflict(_("This change is %(status)s already.", status=row.status), fix=_("Reload the page."))
    row.status, row.note, row.done_at = "cancelled", reason.strip()[:300], clock.now()
    session().flush()
    record(
        "subscription.change_cancelled",
        Subject("subscription", row.subscription_id, row.plan_code or row.kind),
    )
    emit(
        "subscription.change_cancelled",
        subject=f"subscription:{row.subscription_id}",
        payload={"subscription_id": str(row.subscription_id), "change_id": str(row.id)},
    )
    return row


def failed(change_id: UUID, why: str) -> None:
    """It could not happen: the subscription stays as it was, and its people are told."""
    row = locked(change_id)
    row.status, row.note, row.done_at = "failed", why[:300], clock.now()
    session().flush()
    emit(
        "subscription.change_failed",
        subject=f"subscription:{row.subscription_id}",
        payload={"subscription_id": str(row.subscription_id), "change_id": str(row.id), "why": row.note},
    )
