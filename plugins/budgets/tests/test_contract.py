"""The contract of every plugin, with a lifted budget as sample."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from chom_budgets import service

from chom_sdk import clock
from chom_sdk.testing import Organisation, contract


def a_budget(organisation: Organisation, text: str) -> dict[str, object]:
    """A budget whose override's reason is hostile."""
    values = {"project_id": None, "amount": Decimal(100), "at_limit": "block", "pause_services": []}
    with organisation.acting():
        made = service.create(values)
        service.override(made.id, (clock.now() + timedelta(days=3)).date(), text[:300])
    return {"budget_id": made.id}


TestContract = contract("budgets", a_budget)
