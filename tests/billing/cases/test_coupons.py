"""Cases CPN-03, CPN-05, CPN-08: what coupons that a customer holds take off a renewal, and from which lines.

CPN-02 and CHOM-10 are in test_subscriptions, CPN-07 in test_credit.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from chom_core.billing.models import Invoice
from chom_core.billing.rules.coupons import Duration
from chom_core.billing.service.changes import changing
from chom_core.billing.service.changes.reckoning import Wanted
from chom_core.billing.service.invoicing import tax
from chom_core.billing.service.offers import coupons
from chom_core.database import PLATFORM_ID, transaction
from chom_core.values import Money, uuid7
from chom_core.values.billing import PlanShape, TaxAnswer
from tests.billing.plans import bills, buy, of, plan, renew, stand
from tests.billing.shop import books_are_right
from tests.conftest import Database, make_tenant

#: net and percent of tax, as in the case
METERS = [(1000, 10), (2000, 20), (3000, 10), (4000, 10)] * 2


@pytest.fixture
def buyer(street: Database) -> UUID:
    return make_tenant("Northlight")


def given(tenant: UUID, off: int | str, *only: str) -> None:
    """The customer holds a coupon that counts once: cents, or a percentage as text."""
    terms: dict[str, Any] = (
        {"amount": Money(off, "USD")} if isinstance(off, int) else {"percent": Decimal(off)}
    )
    with transaction(PLATFORM_ID):
        made = coupons.make(uuid7().hex, duration=Duration.ONCE, plans=only, **terms)
    with transaction(tenant):
        coupons.grant(made.id)


def renewed(tenant: UUID) -> Invoice:
    assert renew(tenant, of(tenant).current_period_end) == 1
    return bills(tenant)[-1]


def added(tenant: UUID, code: str) -> None:
    with transaction(tenant):
        assert changing.change(of(tenant).id, Wanted("add", plan_code=code)).state == "done"


def test_cpn_03(buyer: UUID) -> None:
    plan("cpn-03", 200)
    plan("cpn-03-more", 100, shape=PlanShape.ADDON)
    stand(buyer, "2024-01-01")
    buy(buyer, "cpn-03")
    added(buyer, "cpn-03-more")
    given(buyer, "20")
    found = renewed(buyer)
    assert [(line.amount, line.discount) for line in found.lines] == [(200, 40), (100, 20), (-60, 0)]
    assert renewed(buyer).total == 300, "it counts once"


def test_cpn_05(buyer: UUID) -> None:
    plan("cpn-05", 100)
    stand(buyer, "2024-01-01")
    buy(buyer, "cpn-05")
    found = []
    for offers in ((10, "20"), ("15", "20"), (10, 20)):
        for off in offers:
            given(buyer, off)
        found.append(renewed(buyer).subtotal)
    assert found == [72, 68, 70]
    books_are_right()


def test_cpn_08(buyer: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight lines of two rates of tax. The source gives each share to five places; a line bears whole cents here."""
    percents = {f"bm{place}": Decimal(rate) for place, (_net, rate) in enumerate(METERS, 1)}
    stand(buyer, "2024-01-01")
    for code, (cents, _rate) in zip(percents, METERS, strict=True):
        plan(code, cents, shape=PlanShape.HOSTING if code == "bm1" else PlanShape.ADDON)
        buy(buyer, code) if code == "bm1" else added(buyer, code)
    given(buyer, 500)  # redeemed first, and yet after those with a scope
    given(buyer, 2000, "bm1", "bm2")
    given(buyer, 1000, "bm5", "bm6", "bm7", "bm8")
    monkeypatch.setattr(
        tax, "answer",
        lambda query: TaxAnswer(
            "VAT", Decimal(0), rates=tuple(percents.get(line.plan, Decimal(0)) for line in query.lines)
        ),
    )  # fmt: skip
    found = renewed(buyer)
    whole = {line.plan_code: line for line in found.lines if line.plan_code}
    expected = [676.47059, 1352.94117, 88.23529, 117.64706, 126.47059, 252.94118, 379.41176, 505.88235]
    off = [whole[code].discount for code in percents]
    assert sum(off) == 3500 and all(abs(one - want) < 1 for one, want in zip(off, expected, strict=True))
    assert [line.amount for line in found.lines if line.kind == "discount"] == [-2000, -1000, -500]
    assert (found.subtotal, found.tax, found.total) == (16500, 1889, 18389)
    taxes = [whole[code].tax for code in percents]
    lines = [32, 129, 291, 388, 87, 349, 262, 349]  # 1887: the invoice's tax is counted from unrounded sums
    assert sum(taxes) == 1889 and all(abs(one - want) <= 1 for one, want in zip(taxes, lines, strict=True))
    assert found.snapshot["tax"]["rates"] == [
        {"rate": "10", "base": 14106, "tax": 1410}, {"rate": "20", "base": 2394, "tax": 479},
    ]  # fmt: skip
    books_are_right()
