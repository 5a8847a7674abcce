"""Budgets over the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chom_sdk import ApiRoutes, Money

from . import service, spending
from .models import EVERYTHING, Budget
from .schemas import BudgetIn, BudgetOut, OverrideIn

api = ApiRoutes("budgets", __name__, prefix="/budgets", access="billing")


@api.get("/", scope="budgets:read", out=BudgetOut, many=True)
def list_budgets() -> list[dict[str, Any]]:
    return [_plain(one) for one in spending.states(service.budgets())]


@api.post("/", scope="budgets:write", into=BudgetIn, out=BudgetOut)
def create_budget(values: dict[str, Any]) -> dict[str, Any]:
    return _one(service.create(values))


@api.get("/<uuid:budget_id>", scope="budgets:read", out=BudgetOut)
def read_budget(budget_id: UUID) -> dict[str, Any]:
    return _one(service.get(budget_id))


@api.put("/<uuid:budget_id>", scope="budgets:write", into=BudgetIn, out=BudgetOut)
def change_budget(values: dict[str, Any], budget_id: UUID) -> dict[str, Any]:
    return _one(service.change(budget_id, values))


@api.delete("/<uuid:budget_id>", scope="budgets:write")
def delete_budget(budget_id: UUID) -> None:
    service.remove(budget_id)


@api.put("/<uuid:budget_id>/override", scope="budgets:write", into=OverrideIn, out=BudgetOut)
def lift(values: dict[str, Any], budget_id: UUID) -> dict[str, Any]:
    return _one(service.override(budget_id, **values))


@api.delete("/<uuid:budget_id>/override", scope="budgets:write")
def end_lift(budget_id: UUID) -> None:
    service.end_override(budget_id)


def _one(budget: Budget) -> dict[str, Any]:
    (state,) = spending.states([budget])
    return _plain(state)


def _plain(state: spending.State) -> dict[str, Any]:
    budget, ahead = state.budget, spending.look_ahead(state)
    told = [one.percent for one in service.alerts(budget.id) if one.month == state.month.start]
    return {
        "id": budget.id, "project_id": None if budget.project_id == EVERYTHING else budget.project_id,
        "amount": state.cap.major, "currency": budget.currency, "at_limit": budget.at_limit,
        "pause_services": budget.pause_services, "month": state.month.start, "spent": _money(state.spent),
        "percent": state.percent, "exhausted": state.exhausted,
        "override_until": budget.override_until if state.overridden else None,
        "override_reason": budget.override_reason if state.overridden else "",
        "estimate": _money(ahead.total), "crossing": ahead.crossing, "alerts": sorted(told),
    }  # fmt: skip


def _money(money: Money) -> dict[str, Any]:
    return {"amount": money.amount, "currency": money.currency}
