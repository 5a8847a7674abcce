"""What stands beside a subscription whose period ends. Most have nothing of it, and then none of it is asked for."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct
from sqlalchemy import exists, select
from sqlalchemy.orm import aliased, joinedload

from chom_core.billing.models import CouponRedemption, CreditGrant, Subscription, SubscriptionChange
from chom_core.billing.service.changes.rows import WAITING
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import afresh, session

_OTHER = aliased(Subscription)
_QUESTION = select(
    Subscription,
    exists()
    .where(SubscriptionChange.subscription_id == Subscription.id, SubscriptionChange.status.in_(WAITING))
    .label("changes"),
    exists().where(_OTHER.id != Subscription.id).label("others"),
    exists().where(CouponRedemption.status == "active").label("coupons"),
    exists().where(CreditGrant.remaining > 0).label("credit"),
).options(joinedload(Subscription.items))


class Beside(Struct, frozen=True):
    """Whether there are changes that wait, other subscriptions (ended ones too), coupons held, credit left."""

    changes: bool
    others: bool
    coupons: bool
    credit: bool


def locked(subscription_id: UUID) -> tuple[Subscription, Beside]:
    """The subscription, its row locked and read afresh, and what stands beside it; NotFound where it is another's.

    Call it under the profile's lock: whoever adds such rows holds that too, so the answer is right until the commit.
    """
    query = afresh(_QUESTION.where(Subscription.id == subscription_id), of=Subscription)
    found = session().execute(query).unique().one_or_none()
    if found is None:
        raise subscriptions.missing()
    return found[0], Beside(*found[1:])
