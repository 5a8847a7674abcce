"""Resellers: a month settled once, rated twice; or a share of what customers paid."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.billing import ledger
from chom_core.billing.models import Invoice, Settlement, WholesaleStatement
from chom_core.billing.service import usage
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import credit_notes, invoices, rating, sellers
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.partners import payouts, terms, wholesale
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage import NewEvent
from chom_core.database import PLATFORM_ID, Tenant, clock, transaction
from chom_core.values import BillingPeriod, Conflict, Invalid, Money, NotFound, uuid7
from chom_core.values.billing import PlanShape
from chom_core.work import enqueue, run_all
from tests.billing.shop import books_are_right
from tests.conftest import Database, make_tenant

START = datetime.fromisoformat("2027-01-10T00:00:00+00:00")
END = datetime.fromisoformat("2027-02-10T00:00:00+00:00")


def usd(text: str) -> Money:
    return Money.of(text, "USD")


def stand_at(tenant: UUID, instant: datetime) -> None:
    with transaction() as here:
        row = here.get_one(Tenant, tenant)
        row.clock_at, row.generation = instant, row.generation + 1


@pytest.fixture
def brightside(shop: Database) -> UUID:
    made = make_tenant("Brightside", kind="reseller")
    stand_at(made, START)
    with transaction(made):
        sellers.ensure_seller("Brightside Ltd")
    return made


def customers(of: UUID, count: int) -> list[UUID]:
    made = [make_tenant(f"Customer{n}", parent=of) for n in range(count)]
    for one in made:
        stand_at(one, START)
    return made


def invoice(customer: UUID, money: Money, *, pay: bool = True) -> UUID:
    with transaction(customer):
        bill = rating.bill("USD", rating.lines_of([Charge("x", "charge", "Hosting", money)]), [], None)
        made = invoices.draft(bill, seller=sellers.seller(), subscription_id=None, period=None)
        if pay:
            accounts.grant_account_credit(money, f"k{uuid7()}", "in a test")
        invoices.finalise(made)
        invoices.number(made)
        return made.id


def settle(reseller: UUID) -> int:
    with transaction(reseller):
        return wholesale.settle_due()


def test_chom_13(brightside: UUID) -> None:
    """249.00 + 30 × 15.00 = 699.00 a month, whatever the customers pay: 22 × 39.00 + 8 × 99.00 = 1,650.00."""
    with transaction(brightside):
        terms.choose("wholesale")
    for number, customer in enumerate(customers(brightside, 30)):
        invoice(customer, usd("39.00") if number < 22 else usd("99.00"))
    assert settle(brightside) == 0, "the month is not over"
    stand_at(brightside, END)
    assert [settle(brightside) for _ in range(2)] == [1, 0]
    with transaction(brightside) as here:
        statement = here.scalars(select(WholesaleStatement)).one()
        bill = here.scalars(select(Invoice)).one()
        assert (statement.seats, statement.retail, statement.wholesale) == (30, 165_000, 69_900)
        assert (bill.total, bill.status, bill.snapshot["seller"]["legal_name"]) == (
            69_900,
            "open",
            "Lanternworks Ltd",
        )
        assert ledger.balance("receivable", "USD") == usd("699.00")
    books_are_right()


def test_use_is_pooled_over_all_seats(brightside: UUID) -> None:
    with transaction(brightside):
        terms.choose("wholesale", pool={"storage_gb": {"included": "10", "unit": "0.10"}})
        catalogue.save_plan("retail", title="Retail", shape=PlanShape.HOSTING, monthly=usd("39.00"))
    heavy, light = customers(brightside, 2)
    for customer in (heavy, light):
        with transaction(customer):
            plan = catalogue.plan("retail")
            seller = sellers.seller().id
            subscriptions.activate(
                subscriptions.begin(plan, usd("39.00"), BillingPeriod.MONTHLY, 1, "Retail", seller)
            )
    for customer, value in ((heavy, 24), (light, 1)):
        with transaction(customer):
            usage.record_batch([NewEvent("e", "storage_gb", Decimal(value), START)])
    for one in (brightside, heavy, light):
        stand_at(one, END)
    settle(brightside)
    with transaction(brightside) as here:
        lines = [(line.kind, line.amount) for line in here.scalars(select(Invoice)).one().lines]
        rated = here.scalars(select(WholesaleStatement)).one().lines
    assert lines == [("charge", 24_900), ("charge", 3_000), ("usage", 50)], "25 used, 20 pooled"
    assert sorted(Decimal(one["used"]["storage_gb"]) for one in rated) == [1, 24]
    books_are_right()


def test_who_came_after_the_month_takes_no_seat_but_who_was_taken_over_does(brightside: UUID) -> None:
    with transaction(brightside):
        terms.choose("wholesale")
        catalogue.save_plan("retail", title="R", shape=PlanShape.HOSTING, monthly=usd("39.00"))
    new, taken_over = customers(brightside, 2)
    with transaction() as here:
        for one in (new, taken_over):
            here.get_one(Tenant, one).created_at = END
    with transaction(taken_over):
        plan, seller = catalogue.plan("retail"), sellers.seller().id
        subscriptions.begin(plan, usd("39.00"), BillingPeriod.MONTHLY, 1, "R", seller)
    stand_at(brightside, END)
    settle(brightside)
    with transaction(brightside) as here:
        assert here.scalars(select(WholesaleStatement)).one().seats == 1


def test_months_that_were_missed_are_settled_in_order(brightside: UUID) -> None:
    with transaction(brightside):
        terms.choose("wholesale")
    stand_at(brightside, datetime.fromisoformat("2027-04-10T00:00:00+00:00"))
    assert settle(brightside) == 3
    with transaction(brightside) as here:
        assert [
            row.period_start.month
            for row in here.scalars(select(WholesaleStatement).order_by("period_start"))
        ] == [1, 2, 3]


def test_the_mode_is_fixed_by_the_first_invoice(brightside: UUID) -> None:
    with transaction(brightside):
        terms.choose("share")
        terms.choose("wholesale")
    invoice(customers(brightside, 1)[0], usd("10.00"))
    with transaction(brightside) as here:
        with pytest.raises(Conflict, match="fixed as wholesale"):
            terms.choose("share")
        terms.choose("wholesale", seat=usd("14.00"))
        assert here.scalars(select(Settlement)).one().fixed_at is not None


def test_a_share_follows_what_customers_paid(brightside: UUID) -> None:
    with transaction(brightside):
        terms.choose("share")
        assert sellers.seller().legal_name == "Lanternworks Ltd"
    customer = customers(brightside, 1)[0]
    paid = invoice(customer, usd("19.99"))
    invoice(customer, usd("50.00"), pay=False)
    for _turn in range(2):
        settle(brightside)
    with transaction(brightside):
        assert payouts.payable(str(brightside))[0].available == usd("4.00")
    with transaction(customer):
        credit_notes.issue(paid, usd("9.99"), "credit", reason="r", key="k")
    settle(brightside)
    with transaction(brightside):
        owed = payouts.payable(str(brightside))[0]
    assert (owed.earned, owed.taken_back) == (usd("2.00"), usd("2.00"))
    books_are_right()


@pytest.mark.parametrize(
    "pooled", [{"included": "NaN", "unit": "1"}, {"included": "1"}, {"included": "-1", "unit": "1"}]
)
def test_bad_terms_are_refused(brightside: UUID, pooled: dict[str, str]) -> None:
    with transaction(brightside), pytest.raises(Invalid):
        terms.choose("wholesale", pool={"storage_gb": pooled})


def test_a_customer_is_no_reseller(buyer: UUID) -> None:
    with transaction(buyer), pytest.raises(NotFound):
        terms.choose("wholesale")
    assert clock.now()


def test_the_nightly_job_settles_every_reseller_once(brightside: UUID) -> None:
    with transaction(brightside):
        terms.choose("wholesale")
    stand_at(brightside, END)
    for _night in range(2):
        with transaction(PLATFORM_ID):
            enqueue(wholesale.RUN)
        run_all(reraise=True)
    with transaction(brightside) as here:
        assert [row.wholesale for row in here.scalars(select(WholesaleStatement))] == [24_900]
    books_are_right()
