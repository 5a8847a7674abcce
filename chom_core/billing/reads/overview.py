"""What is for sale, what an organisation has, and what that comes to."""

from __future__ import annotations

from decimal import Decimal

from chom_core.billing.models import Plan, Subscription
from chom_core.billing.reads.documents import card_words, invoice_list
from chom_core.billing.reads.shapes import Bar, Offer, Overview, SubscriptionInfo
from chom_core.billing.service.buying import funding
from chom_core.billing.service.invoicing import rating, sellers
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.paying import methods
from chom_core.billing.service.subscribing import renewal, subscriptions
from chom_core.database import PLATFORM_ID, current, session, transaction
from chom_core.values.billing import PlanShape
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod


def offers(period: BillingPeriod, currency: str = "", shape: PlanShape | None = None) -> list[Offer]:
    """What is for sale here; for a visitor without an organisation, what the platform sells."""
    if current().tenant_id is None:
        with transaction(PLATFORM_ID):
            return offers(period, currency, shape)
    money = currency or sellers.seller().currency
    return [offer(plan, period, money) for plan in catalogue.plans(shape, currency=money)]


def offer(plan: Plan, period: BillingPeriod, currency: str) -> Offer:
    monthly = catalogue.price(plan, currency, BillingPeriod.MONTHLY)
    return Offer(
        code=plan.code,
        title=plan.title,
        shape=plan.shape,
        description=plan.description,
        currency=currency,
        period=period,
        price=catalogue.price(plan, currency, period),
        monthly=monthly,
        saving=catalogue.savings(plan, currency, period),
        allowances=dict(plan.allowances),
        overage={name: _unit(plan, currency, name) for name in plan.allowances},
        features=tuple(feature.plugin for feature in plan.features),
        service_kind=plan.service_kind,
    )


def _unit(plan: Plan, currency: str, metric: str) -> Money:
    return rating.overage(0, Decimal(1), catalogue.beyond(plan, currency, metric), currency)


def overview() -> Overview:
    """The current organisation's money on one page."""
    every = [subscription_info(of) for of in subscriptions.kept()]
    hosting = next((info for info in every if info.shape == PlanShape.HOSTING.value), None)
    going_on = [info for info in every if info.cancel_at is None and info.status != "paused"]
    estimate = Money.zero(sellers.profile().currency)
    for info in going_on:
        estimate = estimate + info.next_total
    method = methods.default_method()
    return Overview(
        hosting=hosting,
        services=tuple(info for info in every if info is not hosting),
        bars=bars(),
        estimate=estimate,
        next_at=min((info.current_period_end for info in going_on), default=None),
        open=tuple(invoice for invoice in invoice_list() if invoice.status == "open"),
        card=card_words(method) if method else "",
    )


def bars() -> tuple[Bar, ...]:
    """The hosting plan's allowances that are counted by now: sites."""
    of = subscriptions.hosting()
    if of is None:
        return ()
    item = of.items[0]
    plan = session().get_one(Plan, item.plan_id)
    included = int(plan.allowances.get("sites", 0)) * item.quantity
    return (Bar("sites", funding.sites_used(item), included, _unit(plan, of.currency, "sites")),)


def subscription_info(of: Subscription) -> SubscriptionInfo:
    """The subscription; its next total is rated as its next invoice will be."""
    item = subscriptions.main_item(of)
    upcoming = renewal.next_bill(of)
    return SubscriptionInfo(
        id=of.id,
        shape=of.shape,
        status=of.status,
        title=item.title,
        plan=item.plan_code,
        price=Money(item.amount, item.currency) * item.quantity,
        period=BillingPeriod(of.billing_period),
        current_period_start=of.current_period_start,
        current_period_end=of.current_period_end,
        cancel_at=of.cancel_at,
        service_id=item.service_id,
        next_total=upcoming.total,
    )
