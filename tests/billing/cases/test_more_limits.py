"""More cases of use that is billed early, as Lago's progressive billing: upgrades, ends, years, declined cards."""

from __future__ import annotations

from uuid import UUID

import pytest

from chom_core.billing.service.changes import ending
from chom_core.billing.service.invoicing import sellers, voiding
from chom_core.billing.service.offers import catalogue, limits, versions
from chom_core.billing.service.usage import invoices, returns
from chom_core.database import PLATFORM_ID, transaction
from chom_core.values import BillingPeriod, Money
from tests.billing import till
from tests.billing.cases.test_charges import billed_early, sold, use
from tests.billing.plans import at, bills, buy, lines, notes, of, plan, renew, stand, upgrade
from tests.billing.shop import LATER, books_are_right
from tests.conftest import Database, make_tenant


@pytest.fixture
def buyer(street: Database) -> UUID:
    return make_tenant("Northlight")


def used(tenant: UUID) -> list[int]:
    return [line.amount for line in lines(tenant, "usage")]


def give_back(tenant: UUID) -> list[int]:
    for _ in range(2):
        with transaction(tenant):
            returns.give_back()
    return [note.total for note in notes(tenant)]


def test_an_upgrade_makes_what_was_billed_early_cheaper(buyer: UUID) -> None:
    """The month goes on under the new plan: 200 units at 0.50 were billed by 1.00; the rest of 100.00 is given back."""
    sold(buyer, "early-a", "1.00", limit=20000)
    sold_more = plan("early-b", 5000, timing="arrears")
    with transaction(PLATFORM_ID):
        row = catalogue.plan(sold_more)
        versions.set_usage_price(row, "traffic_gb", "USD", versions.per_unit("0.50"))
    use(buyer, 200)
    assert billed_early(buyer) == 1
    stand(buyer, "2024-01-15")
    assert upgrade(buyer, "early-b").state == "done"
    renew(buyer, "2024-02-01")
    assert (give_back(buyer), till.left(buyer)) == ([10000], 10000 - bills(buyer)[-1].amount_credited)
    assert used(buyer) == [20000]
    books_are_right()


def test_what_ends_pays_the_rest_beyond_its_early_bill(buyer: UUID) -> None:
    sold(buyer, "early-end", "1.00", limit=5000)
    use(buyer, 60)
    assert billed_early(buyer) == 1
    use(buyer, 15)
    stand(buyer, "2024-01-20")
    with transaction(buyer):
        ending.cancel_now(of(buyer).id)
    assert used(buyer) == [6000, 1500]
    assert give_back(buyer) == []
    books_are_right()


def test_an_early_bill_that_is_void_is_billed_with_the_month(buyer: UUID) -> None:
    sold(buyer, "early-void", "1.00", limit=5000)
    use(buyer, 60)
    assert billed_early(buyer) == 1
    with transaction(buyer):
        voiding.void(bills(buyer)[-1].id, settle="refund")
    assert billed_early(buyer) == 1, "the limit is reached as if nothing had been billed"
    renew(buyer, "2024-02-01")
    assert [(row.total, row.status) for row in bills(buyer) if row.total] == [(6000, "void"), (6000, "paid")]
    books_are_right()


def test_a_declined_early_bill_is_not_made_again(buyer: UUID) -> None:
    plan("early-card", 1000)
    with transaction(PLATFORM_ID):
        row = catalogue.plan("early-card")
        versions.set_usage_price(row, "traffic_gb", "USD", versions.per_unit("1.00"))
        limits.set_limits(row, "USD", [Money(1000, "USD")], every=Money(500, "USD"))
    stand(buyer, "2024-01-01")
    buy(buyer, "early-card", card=LATER)
    stand(buyer, "2024-01-02")
    use(buyer, 10)
    assert [billed_early(buyer), billed_early(buyer)] == [1, 0]
    assert (of(buyer).status, bills(buyer)[-1].status) == ("past_due", "open")
    use(buyer, 4)
    assert billed_early(buyer) == 0
    use(buyer, 1)
    assert billed_early(buyer) == 1, "again after each 5.00 beyond the highest limit"
    assert used(buyer) == [1000, 500]
    books_are_right()


def test_a_year_has_limits_by_the_month(buyer: UUID) -> None:
    plan("early-year", 1000)
    with transaction(PLATFORM_ID):
        row = catalogue.plan("early-year")
        versions.set_usage_price(row, "traffic_gb", "USD", versions.per_unit("1.00"))
        limits.set_limits(row, "USD", [Money(1000, "USD")])
    stand(buyer, "2024-01-01")
    buy(buyer, "early-year", BillingPeriod.ANNUAL)
    for day in ("2024-01-10", "2024-02-10"):
        stand(buyer, day)
        use(buyer, 10)
        assert [billed_early(buyer), billed_early(buyer)] == [1, 0]
        use(buyer, 2)
    stand(buyer, "2024-03-02")
    with transaction(buyer):
        assert [invoices.bill_months(), invoices.bill_months()] == [1, 0]
    assert used(buyer) == [1000, 200, 1000, 200]
    books_are_right()


def test_a_mean_waits_for_the_end_of_its_month(buyer: UUID) -> None:
    """100 GB on one day of thirty-one are not a month of 100 GB."""
    sold(buyer, "early-mean", "1.00", limit=1000)
    with transaction(PLATFORM_ID):
        row = catalogue.plan("early-mean")
        versions.set_usage_price(row, "storage_gb", "USD", versions.per_unit("1.00"))
    use(buyer, 31, "storage_gb", at=at("2024-01-02"))
    stand(buyer, "2024-01-03")
    assert billed_early(buyer) == 0
    use(buyer, 0, "storage_gb")
    use(buyer, 10)
    assert billed_early(buyer) == 1
    assert renew(buyer, "2024-02-01") == 1
    assert used(buyer) == [1000, 100]
    books_are_right()


def test_after_a_trial_the_first_period_ends_on_the_customers_day(buyer: UUID) -> None:
    plan("wish-trial", 3100, trial_days=14)
    stand(buyer, "2024-01-01")
    with transaction(buyer):
        sellers.update_wishes(consolidate=True, billing_day=1)
    buy(buyer, "wish-trial")
    assert renew(buyer, "2024-01-15") == 1
    assert renew(buyer, "2024-02-01") == 1
    assert [line.amount for line in lines(buyer, "plan")] == [1700, 3100]
    assert of(buyer).current_period_end == at("2024-03-01")
