"""The catalogue: what is for sale, at which price, with which features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chom_core.billing.models import Plan, PlanFeature, Price
from chom_core.billing.service.sellers import ensure_seller, reseller_id
from chom_core.database import PLATFORM_ID, current, session
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
    overage: Mapping[str, Any] | None = None,
    service_kind: str = "",
    features: Sequence[str] = (),
    position: int = 50,
) -> Plan:
    """Make a plan of the current organisation with a price for each billing period; one that exists is returned."""
    owner = current().tenant_id or PLATFORM_ID
    found = session().scalar(select(Plan).where(Plan.reseller_id == owner, Plan.code == code))
    if found is not None:
        return found
    plan = Plan(
        reseller_id=owner, code=code, title=title, shape=shape.value, description=description,
        allowances=dict(allowances or {}), overage=dict(overage or {}), service_kind=service_kind, position=position,
    )  # fmt: skip
    session().add(plan)
    session().flush()
    for period in BillingPeriod:
        price = period.price(monthly)
        session().add(
            Price(
                reseller_id=owner, plan_id=plan.id, currency=price.currency, billing_period=period.value,
                amount=price.amount,
            )
        )  # fmt: skip
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
        plan for plan in found if not currency or any(price.currency == currency for price in plan.prices)
    ]


def plan(code: str) -> Plan:
    """An active plan by its code. NotFound where it is not for sale here."""
    query = select(Plan).where(Plan.reseller_id == _shelf(), Plan.active, Plan.code == code)
    found = session().scalar(query)
    if found is None:
        raise NotFound(f"There is no plan «{code[:60]}» for sale.", fix="Choose one on the prices page.")
    return found


def price(of: Plan, currency: str, period: BillingPeriod) -> Money:
    """What one period of the plan costs. Invalid where it has no price in that currency."""
    for row in of.prices:
        if row.currency == currency and row.billing_period == period.value:
            return Money(row.amount, currency)
    raise Invalid(
        f"{of.title} has no {period.value} price in {currency}.", fix="Choose another period or currency."
    )


def savings(of: Plan, currency: str, period: BillingPeriod) -> Money:
    """What the period saves against paying by the month."""
    return price(of, currency, BillingPeriod.MONTHLY) * period.months - price(of, currency, period)


def beyond(of: Plan, currency: str, metric: str) -> Decimal:
    """The price of one more unit of `metric`, in major units."""
    return Decimal(str(of.overage.get(currency, {}).get(metric, "0")))


def _shelf() -> UUID:
    return reseller_id()
