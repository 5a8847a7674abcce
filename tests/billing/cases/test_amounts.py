"""Cases MON-*: what is split adds up, and each currency is rounded to its own smallest unit.

MON-01 is split by credit notes over an amount. Its negative case cannot be: no note takes back less than nothing. Who
gets an odd unit is a policy, as the case says: between lines the largest remainder (so MON-01), between days of use the
first (so MON-02). CHOM-06/07/08 are in tests/billing/payouts/test_payouts, WAL-07 in test_credit.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from uuid import UUID

import pytest

from chom_core.billing.reads.spend import spend_by_day
from chom_core.billing.service import usage
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.buying.purchases import Click
from chom_core.billing.service.invoicing import credit_notes
from chom_core.billing.service.offers import catalogue, versions
from chom_core.database import PLATFORM_ID, transaction
from chom_core.values import BillingPeriod, Money, uuid7
from chom_core.values.billing import Order
from tests.billing import till
from tests.billing.plans import at, buy, of, plan, stand
from tests.billing.shop import GOOD, books_are_right
from tests.conftest import Database, make_tenant

MON_02 = ["1.1818583143661"] * 7 + ["1.170126087450276"] + ["1.0"] * 4
PARTS = [61566, 61565, 61565, 61565, 61565, 61565, 61565, 60953, 52091, 52091, 52091, 52091]


@pytest.fixture
def buyer(street: Database) -> UUID:
    return make_tenant("Northlight")


def test_mon_01(buyer: UUID) -> None:
    cases = [
        (100, [1, 1, 1], [34, 33, 33]), (101, [1, 1, 1], [34, 34, 33]), (5, [3, 7], [2, 3]), (5, [7, 3], [4, 1]),
        (2, [1, 1, 1], [1, 1]), (101, [3, 7], [30, 71]), (1, [0, 0, 1], [1]),
    ]  # fmt: skip
    for amount, ratios, parts in cases:
        invoice = till.invoice(buyer, *[ratio * 1000 for ratio in ratios])
        with transaction(buyer):
            note = credit_notes.issue(invoice, Money(amount, "USD"), reason="split", key=uuid7().hex)
            assert [line.amount for line in note.lines] == parts
            assert sum(parts) == note.total == amount
    books_are_right()


def test_mon_02(buyer: UUID) -> None:
    """$7,002.73 of use, over twelve days that used as much as the weights say."""
    plan("mon-02", 0, timing="arrears")
    with transaction(PLATFORM_ID):
        tiers = [{"up_to": None, "unit": "0", "flat": "7002.73"}]
        versions.set_usage_price(catalogue.plan("mon-02"), "traffic_gb", "USD", tiers, model="flat")
    stand(buyer, "2024-01-01")
    buy(buyer, "mon-02")
    stand(buyer, "2024-01-20")
    with transaction(buyer):
        noon = at("2024-01-01T12:00Z")
        usage.record_batch([
            usage.NewEvent(f"mon-02-{place}", "traffic_gb", round(D(weight), 9), noon + timedelta(place))
            for place, weight in enumerate(MON_02)
        ])  # fmt: skip
        month = spend_by_day(date(2024, 1, 1), "USD")
    assert [one.amount.amount for one in month.entries] == PARTS
    assert month.total == Money(700273, "USD")


@pytest.mark.parametrize(
    ("currency", "unit", "cents", "shown"),
    [("USD", "1.23556789", 124, "1.24"), ("JPY", "1.9556789", 2, "2"), ("BHD", "0.1", 100, "0.100")],
)
def test_mon_05(buyer: UUID, currency: str, unit: str, cents: int, shown: str) -> None:
    code = f"mon-05-{currency.lower()}"
    plan(code, 0)
    with transaction(PLATFORM_ID):
        row = catalogue.plan(code)
        if currency != "USD":
            versions.set_price(row, Money(0, currency), BillingPeriod.MONTHLY)
        versions.set_usage_price(row, "traffic_gb", currency, versions.per_unit(unit))
    stand(buyer, "2024-01-01")
    with transaction(buyer):
        order = Order(code, BillingPeriod.MONTHLY, currency, 1, "")
        click = Click(uuid7(), "1", Money(0, currency), {"test_card": GOOD}, return_url="/back/PAYMENT")
        assert checkout.buy(order, click).state == "done"
    stand(buyer, "2024-01-02")
    with transaction(buyer):
        usage.record(usage.NewEvent(code, "traffic_gb"))
        (line,) = usage.estimate(of(buyer))
    assert line.amount == Money(cents, currency)
    assert str(line.amount.major) == shown
