"""The catalogue: what is for sale, at which price, with which features. Prices have versions: see `versions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload, lazyload

from chom_core.billing.models import Plan, PlanFeature, Price, SubscriptionItem, UsagePrice
from chom_core.billing.service.invoicing.sellers import ensure_seller, reseller_id
from chom_core.billing.service.offers import limits, versions
from chom_core.database import PLATFORM_ID, clock, current, session
from chom_core.plugin_host import registry
from chom_core.values.billing import PlanShape
from chom_core.values.errors import Invalid, NotFound
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod

#: The seeds' hosting plans (A §4): monthly price, sites, storage and traffic in GB, and each one's price beyond.
#: 2 TB are 2000 GB: storage and traffic count in decimal GB, as the pages say.
HOSTING: tuple[tuple[str, str, str, tuple[int, int, int], tuple[str, str, str]], ...] = (
    ("starter", "Starter", "29.00", (5, 10, 100), ("5.00", "0.10", "0.05")),
    ("pro", "Pro", "79.00", (25, 100, 500), ("4.00", "0.08", "0.03")),
    ("enterprise", "Enterprise", "249.00", (100, 500, 2000), ("3.00", "0.05", "0.02")),
)
METRICS = ("sites", "storage_gb", "traffic_gb")


def seed_catalogue(currency: str = "USD", legal_name: str = "CHOM") -> list[Plan]:
    """The seller and the first catalogue of the current organisation (platform or reseller). Repeatable.

    What exists is left alone, prices too: an operator's own change is never undone.
    """
    ensure_seller(legal_name, currency=currency)
    plans = [_hosting(position, currency, *row) for position, row in enumerate(HOSTING, start=1)]
    plans.append(
        save_plan(
            "solo-site",
            title="Solo site",
            shape=PlanShape.SERVICE,
            description="One WordPress site with a price of its own, without a hosting plan.",
            service_kind="wordpress",
            monthly=Money.of("9.00", currency),
            position=10,
        )
    )
    return plans


def save_plan(
    code: str,
    *,
    title: str,
    shape: PlanShape,
    monthly: Money,
    description: str = "",
    allowances: Mapping[str, int] | None = None,
    overage: Mapping[str, Mapping[str, str]] | None = None,
    service_kind: str = "",
    features: Sequence[str] = (),
    position: int = 50,
    proration: str = "second",
    alignment: str = "anniversary",
    timing: str = "advance",
    trial_days: int = 0,
    usage_on_change: str = "continue",
    usage_limits: Mapping[str, Sequence[Money]] | None = None,
    prices: Mapping[BillingPeriod, Money] | None = None,
) -> Plan:
    """Make a plan of the current organisation with a price for each billing period; one that exists is returned.

    `prices` states what a period costs where it is not the month's price with the period's discount.
    `overage`: {"USD": {"sites": "4.00"}}, what one more unit than the allowance costs, in major units.
    `usage_limits`: {"USD": [Money]}, where use is billed before the month is over.
    """
    owner = current().tenant_id or PLATFORM_ID
    found = session().scalar(select(Plan).where(Plan.reseller_id == owner, Plan.code == code))
    if found is not None:
        return found
    plan = Plan(
        reseller_id=owner, code=code, title=title, shape=shape.value, description=description,
        allowances=dict(allowances or {}), service_kind=service_kind, position=position, proration=proration,
        alignment=alignment, timing=timing, trial_days=trial_days,
        usage_on_change=usage_on_change,
    )  # fmt: skip
    session().add(plan)
    session().flush()
    for period in BillingPeriod:
        versions.set_price(plan, (prices or {}).get(period) or period.price(monthly), period)
    for currency, units in (overage or {}).items():
        for meter, unit in units.items():
            included = Decimal((allowances or {}).get(meter, 0))
            versions.set_usage_price(plan, meter, currency, versions.per_unit(unit), included=included)
    for currency, amounts in (usage_limits or {}).items():
        limits.set_limits(plan, currency, amounts)
    session().add_all(PlanFeature(reseller_id=owner, plan_id=plan.id, plugin=name) for name in features)
    session().flush()
    session().expire(plan)
    return plan


def _hosting(
    position: int,
    currency: str,
    code: str,
    title: str,
    monthly: str,
    allowances: tuple[int, int, int],
    overage: tuple[str, str, str],
) -> Plan:
    sites, storage, traffic = allowances
    return save_plan(
        code,
        title=title,
        shape=PlanShape.HOSTING,
        description=f"{sites} sites, {storage} GB storage, {traffic} GB traffic a month.",
        monthly=Money.of(monthly, currency),
        allowances=dict(zip(METRICS, allowances, strict=True)),
        overage={currency: dict(zip(METRICS, overage, strict=True))},
        features=[name for name, found in registry.loaded.items() if code in found.plugin.plans],
        position=position,
    )


def plans(shape: PlanShape | None = None, *, currency: str = "") -> list[Plan]:
    """What the current organisation can buy, in the catalogue's order; `currency`: only what has a price in it."""
    query = select(Plan).where(Plan.reseller_id == _shelf(), Plan.active).order_by(Plan.position, Plan.code)
    if shape is not None:
        query = query.where(Plan.shape == shape.value)
    found = session().scalars(query).all()
    return [
        plan for plan in found if not currency or price_row(plan, currency, BillingPeriod.MONTHLY) is not None
    ]


def plan(code: str) -> Plan:
    """An active plan by its code. NotFound where it is not for sale here."""
    query = select(Plan).where(Plan.reseller_id == _shelf(), Plan.active, Plan.code == code)
    found = session().scalar(query)
    if found is None:
        raise NotFound(
            _("There is no plan «%(code)s» for sale.", code=code[:60]),
            fix=_("Choose one on the prices page."),
        )
    return found


def plan_of(item: SubscriptionItem) -> Plan:
    """The plan that an item is of, with what usage costs; its prices and features are read when they are asked for."""
    later = (joinedload(Plan.usage_prices), lazyload(Plan.prices), lazyload(Plan.features))
    return session().get_one(Plan, item.plan_id, options=later)


def price(of: Plan, currency: str, period: BillingPeriod, at: datetime | None = None) -> Money:
    """What one period of the plan costs at `at` (now). Invalid where it has no price in that currency then."""
    found = price_row(of, currency, period, at)
    if found is None:
        raise Invalid(
            _(
                "%(title)s has no %(period)s price in %(currency)s.",
                title=of.title,
                period=period.value,
                currency=currency,
            ),
            fix=_("Choose another period or currency."),
        )
    return Money(found.amount, currency)


def price_row(of: Plan, currency: str, period: BillingPeriod, at: datetime | None = None) -> Price | None:
    """The version of a price that is sold at `at` (now); None where there is none."""
    rows = [row for row in of.prices if row.currency == currency and row.billing_period == period.value]
    return versions.effective(rows, at or clock.now())


def savings(of: Plan, currency: str, period: BillingPeriod) -> Money:
    """What the period saves against paying by the month."""
    return price(of, currency, BillingPeriod.MONTHLY) * period.months - price(of, currency, period)


def usage_prices(of: Plan, currency: str, at: datetime | None = None) -> dict[str, UsagePrice]:
    """What use costs by meter, as sold at `at` (now). A subscription's item asks with its own `priced_at`."""
    when = at or clock.now()
    meters = sorted({row.meter for row in of.usage_prices if row.currency == currency})
    found = {
        meter: versions.effective(
            [row for row in of.usage_prices if row.meter == meter and row.currency == currency], when
        )
        for meter in meters
    }
    return {meter: row for meter, row in found.items() if row is not None}


def beyond(of: Plan, currency: str, metric: str, at: datetime | None = None) -> Decimal:
    """The price of the first unit beyond what is included, in major units; 0 where use costs nothing more."""
    row = usage_prices(of, currency, at).get(metric)
    return versions.first_unit(row) if row is not None else Decimal(0)


def _shelf() -> UUID:
    return reseller_id()
