"""The contract of every plugin, with a rule and a refused card as samples."""

from __future__ import annotations

from decimal import Decimal

from chom_auto_topup import service
from chom_auto_topup.models import Attempt

from chom_sdk import clock, session
from chom_sdk.testing import Organisation, contract


def a_history(organisation: Organisation, text: str) -> dict[str, object]:
    """A rule, and an attempt whose words from the bank are hostile."""
    values = {
        "enabled": False,
        "threshold": Decimal(10),
        "amount": Decimal(50),
        "cap": None,
        "method_id": None,
    }
    with organisation.acting():
        service.save(values)
        session().add(
            Attempt(
                tenant_id=organisation.id, key="auto/sample", amount=5000, balance=0, currency="USD",
                status="declined", card=text[:60], message=text, settled_at=clock.now(),
            )
        )  # fmt: skip
    return {}


TestContract = contract("auto_topup", a_history)
