"""Once a month a reseller is paid: by the nightly job, its share and what was collected alike, and never twice."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.billing.models import Payout
from chom_core.billing.service.partners import payouts, wholesale
from chom_core.billing.service.subscribing import ahead
from chom_core.database import Tenant, clock, transaction
from chom_core.work import enqueue, run_all
from tests.billing import till
from tests.billing.payouts.conftest import agency
from tests.billing.shop import books_are_right
from tests.billing.test_credit_pages import dana
from tests.billing.test_pages import app
from tests.conftest import Database, make_tenant
from tests.identity.conftest import Browser

__all__ = ["app", "dana"]


def nights(reseller: UUID, count: int = 1, *, days: int = 0) -> None:
    for _ in range(count):
        with transaction() as here:
            row = here.get_one(Tenant, reseller)
            row.clock_at = (row.clock_at or clock.machine()) + timedelta(days=days)
            row.generation += 1
        with transaction(reseller):
            enqueue(wholesale.SETTLE, tenant_id=reseller)
        run_all(reraise=True)


def paid_out(reseller: UUID) -> list[tuple[str, str, int]]:
    with transaction(reseller) as here:
        rows = here.scalars(select(Payout).order_by(Payout.id)).all()
        return [(row.party.removeprefix(str(reseller)), row.status, row.amount) for row in rows]


@pytest.mark.parametrize(("mode", "party", "first"), [("share", "", 200), ("wholesale", "/collected", 1000)])
def test_one_payout_a_month_of_all_that_is_there(shop: Database, mode: str, party: str, first: int) -> None:
    reseller = agency(mode)
    customer = make_tenant("Bakery", parent=reseller)
    till.pay(customer, till.invoice(customer, 1000))
    nights(reseller)
    nights(reseller, 2, days=8)  # collected money is held a week
    assert paid_out(reseller) == [(party, "pending", first)]
    with transaction(reseller) as here:
        assert ahead.payouts() is None, "a test clock asks no gateway about what a person pays"
        payouts.mark_paid(here.scalars(select(Payout.id)).one(), "bank 1")
    till.pay(customer, till.invoice(customer, 2000))
    nights(reseller, 2)
    nights(reseller, days=31)
    nights(reseller, days=1)
    assert paid_out(reseller) == [(party, "posted", first), (party, "pending", 2 * first)]
    books_are_right()


def test_less_than_a_transfer_is_worth_waits(shop: Database) -> None:
    reseller = agency("share")
    customer = make_tenant("Bakery", parent=reseller)
    till.pay(customer, till.invoice(customer, 400))
    nights(reseller, 2, days=8)
    assert paid_out(reseller) == []
    till.pay(customer, till.invoice(customer, 100))
    nights(reseller)
    assert paid_out(reseller) == [("", "pending", 100)]


def test_staff_find_payouts_those_that_wait_first_and_take_them_along(dana: Browser, shop: Database) -> None:
    first, second = agency("share"), agency("share")
    for reseller in (first, second):
        customer = make_tenant("Bakery", parent=reseller)
        till.pay(customer, till.invoice(customer, 1000))
        nights(reseller)
    with transaction(second) as here:
        payouts.mark_paid(here.scalars(select(Payout.id)).one(), "bank 7")
    page = dana.get("/staff/payouts").text
    assert page.index("Reference or reason") < page.index("bank 7"), "what waits is on top"
    assert "bank 7" not in dana.get("/staff/payouts?status=pending").text
    assert "Nothing matches these filters" in dana.get("/staff/payouts?kind=vendor").text
    assert "bank 7" in dana.get("/staff/payouts?q=bank").text
    sheet = dana.get("/staff/payouts?export=csv")
    assert sheet.mimetype == "text/csv" and sheet.text.count("\r\n") == 3 and "bank 7" in sheet.text
