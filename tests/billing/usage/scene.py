"""An organisation that uses things: plans with prices for use, subscriptions, meters of every kind, events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from chom_core.billing.models import Plan, Seller, Subscription, SubscriptionItem, UsagePrice
from chom_core.billing.rules.cycles import Cycle
from chom_core.billing.service.usage import metering
from chom_core.billing.service.usage.ingest import NewEvent
from chom_core.database import PLATFORM_ID, Tenant, clock, transaction
from chom_core.plugin_host import Meter
from chom_core.values import BillingPeriod, uuid7
from tests.conftest import make_tenant

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
#: One meter of each kind, named after it.
KINDS = ("sum", "max", "last", "unique", "time_weighted", "level", "count")


def kinds(monkeypatch: Any) -> None:
    """Let every kind of meter exist, as if a plugin had declared it."""
    mine = tuple(Meter(f"t.{kind}", kind, "", kind) for kind in KINDS)  # type: ignore[arg-type]
    monkeypatch.setattr(metering, "CORE", (*metering.CORE, *mine))
    metering._meters.cache_clear()


def stand_at(tenant: UUID, instant: datetime) -> None:
    """Move the organisation's test clock."""
    with transaction() as here:
        row = here.get_one(Tenant, tenant)
        row.clock_at, row.generation = instant, row.generation + 1


def seller() -> UUID:
    with transaction(PLATFORM_ID) as here:
        row = here.query(Seller).first() or Seller(
            reseller_id=PLATFORM_ID, legal_name="Lanternworks Ltd", currency="USD"
        )
        here.add(row)
        here.flush()
        return row.id


def plan(code: str, prices: Mapping[str, Mapping[str, Any]], *, shape: str = "hosting") -> UUID:
    """A plan of the platform with a price for each meter in `prices`."""
    with transaction(PLATFORM_ID) as here:
        row = Plan(reseller_id=PLATFORM_ID, code=code, title=code.title(), shape=shape, service_kind="")
        if shape == "service":
            row.service_kind = "toy"
        here.add(row)
        here.flush()
        for meter, facts in prices.items():
            here.add(
                UsagePrice(
                    reseller_id=PLATFORM_ID, plan_id=row.id, meter=meter, currency="USD",
                    effective_from=NOON - timedelta(days=3000), **facts,
                )
            )  # fmt: skip
        return row.id


def per_unit(unit: str, included: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "model": "per_unit", "included": Decimal(included),
        "tiers": [{"up_to": None, "unit": unit, "flat": "0"}], **more,
    }  # fmt: skip


def subscribed(
    plan_id: UUID | None = None,
    *,
    name: str = "Northlight",
    begun: datetime = NOON - timedelta(days=60),
    period: BillingPeriod = BillingPeriod.MONTHLY,
    code: str = "starter",
    shape: str = "hosting",
) -> UUID:
    """An organisation with a live subscription since `begun`; the clock stands at NOON."""
    tenant = make_tenant(name)
    sold = plan_id or plan(f"{code}-{uuid7().hex[-6:]}", {}, shape=shape)
    subscribe(tenant, sold, begun=begun, period=period, code=code, shape=shape)
    stand_at(tenant, NOON)
    return tenant


def subscribe(
    tenant: UUID,
    plan_id: UUID,
    *,
    begun: datetime,
    period: BillingPeriod = BillingPeriod.MONTHLY,
    code: str = "starter",
    shape: str = "hosting",
) -> UUID:
    sold_by = seller()
    with transaction(tenant) as here:
        current = Cycle.of(period, begun).containing(max(clock.now(), begun))
        row = Subscription(
            tenant_id=tenant, seller_id=sold_by, shape=shape, status="active", currency="USD",
            billing_period=period.value, anchor=begun, started_at=begun, created_at=begun,
            current_period_start=current.start, current_period_end=current.end,
        )  # fmt: skip
        here.add(row)
        here.flush()
        here.add(
            SubscriptionItem(
                tenant_id=tenant, subscription_id=row.id, plan_id=plan_id, plan_code=code, title=code.title(),
                shape=shape, amount=2900, currency="USD", priced_at=begun,
            )
        )  # fmt: skip
        return row.id


def event(
    id: str, value: int | str = 1, at: datetime | None = None, meter: str = "traffic_gb", **more: Any
) -> NewEvent:
    return NewEvent(id, meter, Decimal(value), at, **more)
