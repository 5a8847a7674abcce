"""An affiliate to pay, and a gateway that pays out as a test tells it to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import pytest

from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import payout_gateways, terms
from chom_core.billing.service.partners.payout_gateways import BoundPayouts
from chom_core.database import transaction
from chom_core.values.billing import PayeeAccount, PayoutRequest, PayoutResult, PayoutStatus
from tests.conftest import Database, make_tenant


@dataclass
class Bank:
    """Keeps what was paid by key, as a gateway does. `broken`: it moves the money and its answer gets lost."""

    name: str = "bank"
    title: str = "The bank"
    sandbox: bool = True
    ready: bool = True
    broken: bool = False
    status: PayoutStatus = PayoutStatus.POSTED
    sent: dict[str, PayoutRequest] = field(default_factory=dict)

    def account(self, payee: object) -> PayeeAccount:
        return PayeeAccount("acct", self.ready)

    def pay_out(self, request: PayoutRequest) -> PayoutResult:
        self.sent.setdefault(request.key, request)
        if self.broken:
            raise OSError("the line is dead")
        return PayoutResult(self.status, f"tr_{len(self.sent)}", message="")


def agency(mode: Literal["wholesale", "share"]) -> UUID:
    """A reseller that sells, by these terms."""
    made = make_tenant("Brightside", kind="reseller")
    with transaction(made):
        sellers.ensure_seller("Brightside Ltd")
        terms.choose(mode)
    return made


@pytest.fixture
def payee(shop: Database) -> UUID:
    return make_tenant("Affiliate")


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> Bank:
    made = Bank()
    found = [BoundPayouts("sandbox_gateway", made)]  # type: ignore[arg-type]
    monkeypatch.setattr(payout_gateways, "_found", lambda currency, name: found)
    return made
