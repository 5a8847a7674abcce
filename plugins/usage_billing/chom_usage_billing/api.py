"""What each plan would cost, and what was told. Meters, days and events are the core's: /api/v1/billing/usage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chom_sdk import ApiRoutes, clock

from . import service
from .schemas import AlertOut, PlanOut

api = ApiRoutes("usage_billing", __name__, prefix="/usage-billing", access="viewer")


@api.get("/plans", scope="usage_billing:read", out=PlanOut, many=True)
def plans() -> Any:
    """Every hosting plan with this month's use, the cheapest first."""
    return [
        {"code": one.code, "title": one.title, "price": one.price, "use": one.use, "total": one.total,
         "saves": one.saves, "current": one.current}
        for one in service.month().plans
    ]  # fmt: skip


@api.get("/alerts", scope="usage_billing:read", out=AlertOut, many=True)
def alerts() -> Any:
    """What was told in the last year."""
    found = service.alerts(clock.now() - timedelta(days=365))
    return [
        {
            "meter": one.meter,
            "percent": one.percent,
            "period_start": one.period_start,
            "told_at": one.created_at,
        }
        for one in found
    ]
