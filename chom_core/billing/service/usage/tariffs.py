"""Whose use it is, and what it costs: subscriptions, their months, their tariffs.

Allowances and prices of use run by the month, also where the plan is paid yearly. A month belongs to the plan that the
subscription has when the month is billed: an upgrade counts for the whole of it, and no month is ever cut by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import and_, bindparam, exists, or_, select

from chom_core.billing.models import (
    Invoice,
    Plan,
    Subscription,
    SubscriptionItem,
    UsageClosing,
    UsagePrice,
)
from chom_core.billing.models.usage import ORGANISATION
from chom_core.billing.rules.cycles import Alignment, Cycle
from chom_core.billing.rules.pricing import Model, Tariff, Tier
from chom_core.billing.rules.rounding import decimal, exact, scaled
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import clock, session
from chom_core.provisioning.models import Service
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod, Period

Tariffs = Mapping[str, Tariff]
#: What is held, not used up: half a month of it costs half.
LEVELS = ("max", "last", "time_weighted", "level")
_DAY = 86_400
#: Months are rated for some weeks after they are over; who paid for them is known for longer.
_AGO = timedelta(days=100)
#: Those that are not over, and those that ended lately and had been paid for: a purchase that was dropped never lived.
_LIVED = select(Subscription).where(
    or_(
        Subscription.status.in_(subscriptions.KEPT),
        and_(
            Subscription.ended_at > bindparam("ago", type_=Subscription.ended_at.type),
            or_(
                exists().where(Invoice.subscription_id == Subscription.id, Invoice.number.is_not(None)),
                exists().where(UsageClosing.subscription_id == Subscription.id),
            ),
        ),
    )
)


def tariffs(of: Subscription) -> dict[str, Tariff]:
    """What use costs in a subscription, by meter, at the prices its items keep. Allowances of several items add up."""
    found: dict[str, Tariff] = {}
    for item in of.items:
        plan = catalogue.plan_of(item)
        for meter, row in catalogue.usage_prices(plan, of.currency, item.priced_at).items():
            _add(found, meter, tariff(row), item.quantity)
    return found


def tariffs_of_plan(plan: Plan, currency: str, quantity: int = 1) -> dict[str, Tariff]:
    """The same as `plan` is sold now: for advice."""
    found: dict[str, Tariff] = {}
    for meter, row in catalogue.usage_prices(plan, currency).items():
        _add(found, meter, tariff(row), quantity)
    return found


def _add(found: dict[str, Tariff], meter: str, one: Tariff, quantity: int) -> None:
    included = one.included * quantity
    had = found.get(meter)
    found[meter] = (
        replace(one, included=included) if had is None else replace(had, included=had.included + included)
    )


def tariff(row: UsagePrice) -> Tariff:
    """A price of the catalogue as rules take it."""
    return Tariff(
        Model(row.model),
        tuple(_tier(tier) for tier in row.tiers),
        row.package_size,
        row.included,
        Money(row.minimum, row.currency) if row.minimum is not None else None,
        Money(row.maximum, row.currency) if row.maximum is not None else None,
    )


def _tier(tier: Mapping[str, Any]) -> Tier:
    end = tier.get("up_to")
    return Tier(
        Decimal(str(end)) if end is not None else None,
        Decimal(str(tier.get("unit", "0"))),
        Decimal(str(tier.get("flat", "0"))),
    )


def terms(of: Tariff) -> dict[str, Any]:
    """A tariff as JSON, to rate by it again."""
    return {
        "model": of.model.value,
        "tiers": [
            {"up_to": str(tier.up_to) if tier.up_to is not None else None, "unit": str(tier.unit),
             "flat": str(tier.flat)}
            for tier in of.tiers
        ],
        "package_size": str(of.package_size) if of.package_size is not None else None,
        "included": str(of.included),
        "minimum": of.minimum.amount if of.minimum else None,
        "maximum": of.maximum.amount if of.maximum else None,
    }  # fmt: skip


def of_terms(kept: Mapping[str, Any], currency: str) -> Tariff:
    """The tariff in `terms`."""
    size = kept["package_size"]
    return Tariff(
        Model(kept["model"]),
        tuple(_tier(tier) for tier in kept["tiers"]),
        Decimal(size) if size is not None else None,
        Decimal(kept["included"]),
        Money(kept["minimum"], currency) if kept["minimum"] is not None else None,
        Money(kept["maximum"], currency) if kept["maximum"] is not None else None,
    )


def month(of: Subscription, start: datetime) -> Period:
    """The month of use that begins at `start`, to the next boundary. A trial waives the plan's price, not use."""
    return Period(start, _grid(of).containing(start).end)


def for_month(of: Subscription, tariff: Tariff, month: Period, how: str) -> Tariff:
    """The tariff in a month that is cut short: its bounds, and the prices of levels, count for the part that is left.

    What is added up (traffic) costs the same in a short month, with the whole allowance.
    """
    whole = _grid(of).containing(month.start)
    if whole.seconds - month.seconds < _DAY:
        return tariff
    share = Fraction(month.seconds, whole.seconds)
    tiers = tariff.tiers
    if how in LEVELS:
        tiers = tuple(replace(one, unit=_part(one.unit, share), flat=_part(one.flat, share)) for one in tiers)
    least = scaled(tariff.minimum, share) if tariff.minimum is not None else None
    most = scaled(tariff.maximum, share) if tariff.maximum is not None else None
    return replace(tariff, tiers=tiers, minimum=least, maximum=most)


def _part(price: Decimal, share: Fraction) -> Decimal:
    return round(decimal(exact(price) * share), 12)


def _grid(of: Subscription) -> Cycle:
    return Cycle.of(BillingPeriod.MONTHLY, of.anchor, of.zone, Alignment(of.alignment), of.billing_day)


def begun(of: Subscription) -> datetime:
    """When its first month of use began."""
    return of.started_at or of.created_at


class Owners:
    """Which subscription of the current organisation pays for whose use. Asked once for many meters.

    One that has ended goes on to pay for the month it ended in: nobody else pays for that again, also where its sites
    have another plan by now.
    """

    def __init__(self, also: Subscription | None = None, *, alone: bool = False) -> None:
        """`also`: a subscription that counts though it is not live any more, such as one that is just ending; `alone`:
        there never was another.
        """
        asked = () if alone else session().scalars(_LIVED, {"ago": clock.now() - _AGO})
        found = {one.id: one for one in asked}
        if also is not None:
            found[also.id] = also
        self._all = sorted(found.values(), key=lambda one: (one.shape != "hosting", one.id))
        self._tariffs: dict[UUID, dict[str, Tariff]] = {}
        self._services: dict[UUID, UUID | None] | None = None

    def tariffs(self, of: Subscription) -> dict[str, Tariff]:
        if of.id not in self._tariffs:
            self._tariffs[of.id] = tariffs(of)
        return self._tariffs[of.id]

    def of(self, meter: str, subject: UUID, month: Period) -> UUID | None:
        """The subscription that pays for a subject's use of a meter in a month; None where there is none."""
        lived = [one for one in self._all if _lived(one, month)] or self._all
        if subject != ORGANISATION:
            payer = self._paid_by().get(subject)
            if any(one.id == payer for one in lived):
                return payer
        return next(
            (one.id for one in lived if meter in self.tariffs(one)),
            lived[0].id if lived else None,
        )

    def _paid_by(self) -> dict[UUID, UUID | None]:
        if self._services is None:
            items = session().execute(select(SubscriptionItem.id, SubscriptionItem.subscription_id))
            of_item = {row.id: row.subscription_id for row in items}
            services = session().execute(select(Service.id, Service.paid_by))
            self._services = {
                service: of_item.get(found) if (found := subscriptions.item_id(paid_by)) else None
                for service, paid_by in services
            }
        return self._services


def _lived(of: Subscription, month: Period) -> bool:
    return begun(of) < month.end and (of.ended_at is None or of.ended_at > month.start)
