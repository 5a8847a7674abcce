"""A reseller's share: each night looks at what may have changed since the last, and misses nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.billing import models
from chom_core.billing.reads.sales import sale
from chom_core.billing.service.invoicing import credit_notes, voiding, writing_off
from chom_core.billing.service.partners import changed, payouts, terms, wholesale
from chom_core.billing.service.paying import refunds
from chom_core.database import Tenant, transaction
from chom_core.work import run_all
from tests.billing import till
from tests.billing.payouts.conftest import agency
from tests.billing.payouts.test_wholesale import customers, settle, usd
from tests.billing.shop import books_are_right
from tests.conftest import Database, make_tenant


@pytest.fixture
def reseller(shop: Database) -> UUID:
    return agency("share")


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Callable[[UUID], list[UUID]]:
    """Settle the reseller; which invoices that looked at."""
    seen: list[UUID] = []

    def counting(customer: UUID, invoice_id: UUID) -> object:
        seen.append(invoice_id)
        return sale(customer, invoice_id)

    def look(reseller: UUID) -> list[UUID]:
        seen.clear()
        settle(reseller)
        return list(seen)

    monkeypatch.setattr(wholesale, "sale", counting)
    return look


Looked = Callable[[UUID], list[UUID]]


def earned(reseller: UUID) -> list[int]:
    with transaction(reseller):
        return [one.available.amount for one in payouts.payable(str(reseller))]


def test_a_night_looks_at_what_changed_alone(reseller: UUID, looked: Looked) -> None:
    one, two = customers(reseller, 2)
    bills = [till.invoice(customer, 1000) for customer in (one, one, two)]
    payment = till.pay(one, bills[0])
    till.pay(two, bills[2])
    assert sorted(looked(reseller)) == sorted(bills)
    assert (earned(reseller), looked(reseller)) == ([400], [])

    with transaction(one):
        refunds.refund(payment, usd("5.00"), "asked for", "r")
    run_all(reraise=True)
    assert (looked(reseller), earned(reseller), looked(reseller)) == ([bills[0]], [300], [])

    till.pay(one, bills[1])
    with transaction(two):
        credit_notes.issue(bills[2], {1: usd("10.00")}, "credit", reason="r", key="k")
    assert sorted(looked(reseller)) == sorted(bills[1:])
    assert (earned(reseller), looked(reseller)) == ([300], [])
    with transaction(one):
        voiding.void(bills[1], settle="credit")  # which pays what the refund had opened again
    assert sorted(looked(reseller)) == sorted(bills[:2])
    assert (earned(reseller), looked(reseller)) == ([200], [])
    books_are_right()


def test_a_debt_that_was_written_off_and_paid_after_all_is_shared(reseller: UUID, looked: Looked) -> None:
    (customer,) = customers(reseller, 1)
    bill = till.invoice(customer, 1000)
    with transaction(customer):
        writing_off.write_off(bill, "lost")
    assert (looked(reseller), earned(reseller)) == ([bill], [])
    till.pay(customer, bill)
    assert (looked(reseller), earned(reseller), looked(reseller)) == ([bill], [200], [])


def test_what_was_on_its_way_while_it_looked_is_found_by_the_next(reseller: UUID, looked: Looked) -> None:
    """Its ledger transaction has an older id than what that look saw last, and is committed after it."""
    one, two = customers(reseller, 2)
    first, second = till.invoice(one, 1000), till.invoice(two, 1000)
    till.pay(one, first)
    looked(reseller)
    with transaction(one):
        credit_notes.issue(first, {1: usd("10.00")}, "credit", reason="r", key="k")
        till.pay(two, second)
        assert looked(reseller) == [second]
    assert (looked(reseller), earned(reseller), looked(reseller)) == ([first], [200], [])


def test_customers_that_left_and_of_others(reseller: UUID, looked: Looked) -> None:
    (customer,), stranger = customers(reseller, 1), make_tenant("Stranger")
    bill = till.invoice(customer, 1000)
    till.pay(customer, bill)
    till.pay(stranger, till.invoice(stranger, 1000))
    with transaction() as here:
        here.get_one(Tenant, customer).status = "closed"
    assert (looked(reseller), earned(reseller), looked(reseller)) == ([bill], [200], [])


def test_other_terms_look_at_everything_once_more(reseller: UUID, looked: Looked) -> None:
    (customer,) = customers(reseller, 1)
    with transaction(reseller):
        terms.choose("share", share_percent=Decimal(0))
    bill = till.invoice(customer, 1000)
    till.pay(customer, bill)
    assert (looked(reseller), earned(reseller), looked(reseller)) == ([bill], [], [])
    with transaction(reseller):
        terms.choose("share", share_percent=Decimal(20))
        terms.choose("share", share_percent=Decimal(20))
    assert (looked(reseller), earned(reseller), looked(reseller)) == ([bill], [200], [])


def test_it_remembers_an_hour_and_not_more(reseller: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    (customer,) = customers(reseller, 1)
    till.pay(customer, till.invoice(customer, 1000))
    settle(reseller)
    with transaction(reseller) as here:
        assert len(here.scalars(select(models.Looked.seen)).one()) == 2
    monkeypatch.setattr(changed, "_ON_ITS_WAY", changed._ON_ITS_WAY * 0)
    settle(reseller)
    with transaction(reseller) as here:
        assert here.scalars(select(models.Looked.seen)).one() == []
