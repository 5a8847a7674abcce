"""What becomes of services when the plan that pays for them ends, pauses, or comes back: they stop, data is kept."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.billing.models import Subscription, SubscriptionItem
from chom_core.billing.service.changes import billed
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import session
from chom_core.provisioning.models import Service
from chom_core.provisioning.service import pay_by, suspend_service, unsuspend_service
from chom_core.values.billing import PlanShape
from chom_core.values.errors import Conflict

#: Kept with a service, shown on its page; what else stopped a service is not ours to take back.
ENDED, PAUSED = "Its plan has ended.", "Its plan is paused."


def stop(subscription_id: UUID, why: str) -> None:
    """Suspend what the subscription pays for. Raises Conflict where something else is being done to a service."""
    of = subscriptions.subscription(subscription_id)
    if of.status in subscriptions.LIVE:
        return  # it came back before its services were stopped
    busy = 0
    for service in _services([of.id]):
        try:
            with session().begin_nested():
                suspend_service(service.id, why)
        except Conflict:
            session().refresh(service)
            busy += 1
    if busy:
        raise Conflict(_("%(busy)s services are busy: they are stopped at the next try.", busy=busy))


def go_on(subscription_id: UUID) -> None:
    """The plan lives: what stood still for it runs again; a new hosting plan also pays for the sites of an old one."""
    of = subscriptions.subscription(subscription_id)
    if of.status not in subscriptions.LIVE:
        return
    if of.shape == PlanShape.HOSTING.value:
        reference = billed.source(subscriptions.main_item(of))
        for service in _services(_ended_hosting()):
            pay_by(service.id, reference)
    session().flush()
    for service in _services([of.id]):
        if service.status == "suspended" and service.suspended_why in (ENDED, PAUSED):
            unsuspend_service(service.id)


def _ended_hosting() -> list[UUID]:
    query = select(Subscription.id).where(
        Subscription.shape == PlanShape.HOSTING.value, Subscription.status == "cancelled"
    )
    return list(session().scalars(query))


def _services(subscription_ids: list[UUID]) -> list[Service]:
    """What items of these subscriptions pay for, removed ones too."""
    items = session().scalars(
        select(SubscriptionItem).where(SubscriptionItem.subscription_id.in_(subscription_ids))
    )
    sources = [billed.source(item) for item in items]
    query = select(Service).where(
        Service.paid_by.in_(sources), Service.status.not_in(("deleting", "deleted"))
    )
    return list(session().scalars(query.order_by(Service.id)))
