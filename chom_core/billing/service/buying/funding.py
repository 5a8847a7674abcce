"""What provisioning is told: who pays for an order, what a service costs, which charges stop with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ARRAY, Row, Select, String, Uuid, any_, bindparam, case, cast, func, literal, select

from chom_core.billing.models import Plan, Subscription, SubscriptionItem
from chom_core.billing.rules.rounding import rounded as rated
from chom_core.billing.service.buying.building import paying_for
from chom_core.billing.service.dunning import holds
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import current, session
from chom_core.provisioning import funding as seam
from chom_core.provisioning.models import Service
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod
from chom_core.values.provisioning import Funding, ServiceInfo, ServiceOrder

# Columns, built once, past the session that looks for objects: subscriptions, items, plan and count as objects took
# four queries and twice the time of the list they go with. The count is made for a hosting plan's item alone.
_SITES = select(func.count(Service.id)).where(
    Service.tenant_id == bindparam("tenant_id"),
    Service.paid_by == literal("item:") + cast(SubscriptionItem.id, String),
    Service.status != "deleted",
)
_PRICES: Select[*tuple[Any, ...]] = (
    select(
        SubscriptionItem.id,
        SubscriptionItem.service_id,
        SubscriptionItem.amount,
        SubscriptionItem.currency,
        SubscriptionItem.quantity,
        Subscription.billing_period,
        Plan.title,
        Plan.allowances,
        case((SubscriptionItem.service_id.is_(None), _SITES.scalar_subquery())).label("sites"),
    )
    .join(Subscription, Subscription.id == SubscriptionItem.subscription_id)
    .join(Plan, Plan.id == SubscriptionItem.plan_id)
    .where(
        SubscriptionItem.tenant_id == bindparam("tenant_id"),
        SubscriptionItem.id == any_(bindparam("items", type_=ARRAY(Uuid))),
        Subscription.status.in_(subscriptions.LIVE),
    )
)


def fund(order: ServiceOrder) -> Funding:
    """Sites use the hosting plan; servers, and sites bought alone, have a price of their own."""
    item = subscriptions.item_of(paying_for.get())
    if item is not None:
        return Funding(True, _price_words(item, item.subscription), reference=subscriptions.source(item))
    if order.family != "site":
        return Funding(
            False,
            _("Servers have a price of their own; your hosting plan does not pay for them."),
            fix=_("Choose a server on the prices page."),
        )
    hosting = subscriptions.hosting()
    if hosting is None:
        return Funding(
            False,
            _("You have no hosting plan yet."),
            fix=_("Choose a plan on the prices page, or a single site with a price of its own."),
        )
    if hosting.status == "past_due" and holds.stands_still(hosting):
        return Funding(
            False,
            _("Your hosting plan is suspended: an invoice is unpaid."),
            fix=_("Pay it under Billing, and everything goes on."),
        )
    return _from_pool(hosting, order)


def _from_pool(hosting: Subscription, order: ServiceOrder) -> Funding:
    item = subscriptions.main_item(hosting)
    plan, used = session().get_one(Plan, item.plan_id), sites_used(item, beside=order.name)
    limit = int(plan.allowances.get("sites", 0)) * item.quantity
    if used >= limit:
        return _beyond(item, plan, limit)
    words = _("Included in %(plan)s (%(count)s of %(limit)s)", plan=plan.title, count=used + 1, limit=limit)
    return Funding(True, words, reference=subscriptions.source(item))


def _beyond(item: SubscriptionItem, plan: Plan, limit: int) -> Funding:
    """Past what a plan includes nothing stops, where one more has a price: that of when the plan was bought."""
    unit = catalogue.beyond(plan, item.currency, "sites", item.priced_at)
    if not unit:
        return Funding(
            False,
            _("All %(limit)s sites of %(plan)s are in use.", limit=limit, plan=plan.title),
            fix=_("Choose a bigger plan, buy a single site with a price of its own, or delete a site."),
        )
    words = _(
        "Beyond the %(limit)s sites of %(plan)s: %(price)s/month",
        limit=limit, plan=plan.title, price=rated(unit, item.currency).format(),
    )  # fmt: skip
    return Funding(True, words, reference=subscriptions.source(item))


def sites_used(item: SubscriptionItem, *, beside: str = "") -> int:
    """How many sites the item pays for now; `beside` leaves out the one of that name."""
    query = select(func.count(Service.id)).where(
        Service.paid_by == subscriptions.source(item), Service.status != "deleted", Service.name != beside
    )
    return session().scalar(query) or 0


def prices(services: Sequence[ServiceInfo]) -> Mapping[UUID, str]:
    """«Included in Pro (19 of 25)» or «$9.00/month», for a whole list at once; no query where nothing is paid."""
    named = {service.paid_by: subscriptions.item_id(service.paid_by) for service in services}
    wanted = [item_id for item_id in named.values() if item_id is not None]
    if not wanted:
        return {}
    found = session().connection().execute(_PRICES, {"items": wanted, "tenant_id": current().tenant_id})
    words = {f"item:{row.id}": _words(row) for row in found}
    return {service.id: words[service.paid_by] for service in services if service.paid_by in words}


def ends(service: ServiceInfo) -> Sequence[str]:
    """Which charges stop when the service is deleted."""
    item = subscriptions.item_of(service.paid_by)
    if item is None:
        return ()
    if item.service_id == service.id:
        price = _price_words(item, item.subscription)
        return (_("%(title)s, %(price)s, is not renewed.", title=item.title, price=price),)
    return (_("Your hosting plan gets one free site back; its price stays."),)


def _words(item: Row[*tuple[Any, ...]]) -> str:
    if item.service_id is not None:
        return _price(Money(item.amount, item.currency), item.billing_period)
    limit = int(item.allowances.get("sites", 0)) * item.quantity
    if item.sites > limit:
        return _(
            "In %(plan)s (%(limit)s of %(count)s included)", plan=item.title, count=item.sites, limit=limit
        )
    return _("Included in %(plan)s (%(count)s of %(limit)s)", plan=item.title, count=item.sites, limit=limit)


def _price_words(item: SubscriptionItem, of: Subscription) -> str:
    return _price(Money(item.amount, item.currency), of.billing_period)


def _price(amount: Money, period: str) -> str:
    every = {
        BillingPeriod.MONTHLY: _("month"), BillingPeriod.QUARTERLY: _("quarter"), BillingPeriod.ANNUAL: _("year"),
        BillingPeriod.BIENNIAL: _("2 years"),
    }[BillingPeriod(period)]  # fmt: skip
    return f"{amount.format()}/{every}"


def install() -> None:
    """Fill provisioning's seam; billing does so when it is imported."""
    seam.register(fund, prices=prices, ends=ends, ready=lambda: bool(subscriptions.live()))
