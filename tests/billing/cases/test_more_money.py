"""More cases of money, as Lago and Stripe test it: credit that expires, notes over several taxes, yen, dinars."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from chom_core.billing.rules.coupons import Coupon
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.buying.purchases import Click
from chom_core.billing.service.changes import changing
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import credit_notes, invoices, rating, sellers, voiding
from chom_core.billing.service.invoicing.rating import Charge, Reduction
from chom_core.billing.service.offers import catalogue, versions
from chom_core.billing.service.paying import refunds
from chom_core.database import PLATFORM_ID, transaction
from chom_core.values import BillingPeriod, Invalid, Money, uuid7
from chom_core.values.billing import Order, TaxAnswer
from chom_core.work import run_all
from tests.billing import till
from tests.billing.plans import at, bills, lines, notes, of, plan, renew, stand
from tests.billing.shop import GOOD, books_are_right
from tests.conftest import Database, make_tenant


@pytest.fixture
def buyer(street: Database) -> UUID:
    found = make_tenant("Northlight")
    stand(found, "2024-01-01")
    return found


def usd(cents: int) -> Money:
    return Money(cents, "USD")


def test_the_sooner_to_expire_pays_first_and_what_expired_pays_nothing(buyer: UUID) -> None:
    for key, days in (("late", 90), ("soon", 10), ("gone", 2)):
        with transaction(buyer):
            end = at("2024-01-01") + timedelta(days=days)
            accounts.grant_promotional_credit(usd(1000), f"{key}{buyer}", key, end)
    with transaction(buyer):
        accounts.grant_account_credit(usd(1000), f"own{buyer}", "paid in")
    stand(buyer, "2024-01-05")
    first = till.invoice(buyer, 1500)
    assert (till.due(buyer, first), till.left(buyer, "promotional"), till.left(buyer)) == (0, 500, 1000)
    stand(buyer, "2024-02-01")
    with transaction(buyer):
        assert accounts.expire_due() == 1
    second = till.invoice(buyer, 2000)
    assert (till.due(buyer, second), till.left(buyer)) == (500, 0)
    books_are_right()


def mixed(tenant: UUID, *rows: tuple[int, str], off: int = 0) -> UUID:
    """A finalised invoice whose lines bear different rates."""
    charges = [Charge(f"p{n}", "plan", f"line {n}", usd(cents)) for n, (cents, _rate) in enumerate(rows)]
    answer = TaxAnswer("VAT", Decimal(0), rates=tuple(Decimal(rate) for _cents, rate in rows))
    less = [Reduction(Coupon("off", amount=usd(off)), "Off")] if off else []
    with transaction(tenant):
        sellers.lock_profile()
        bill = rating.bill("USD", rating.lines_of(charges), [], answer, less)
        return till.finalised(
            invoices.draft(bill, seller=sellers.seller(), subscription_id=None, period=None)
        )


def test_notes_over_several_rates_give_back_exactly_what_was_charged(buyer: UUID) -> None:
    one = mixed(buyer, (1001, "19"), (999, "7"), (333, "0"), off=100)
    till.pay(buyer, one)
    total = till.look(buyer, one).total
    with transaction(buyer):
        credit_notes.issue(one, {1: usd(500)}, "credit", reason="part", key=f"a{one}")
        credit_notes.issue(one, usd(777), "credit", reason="sum", key=f"b{one}")
        credit_notes.issue(one, None, "credit", reason="rest", key=f"c{one}")
    assert sum(note.total for note in notes(buyer)) == total == till.left(buyer)
    assert sum(note.tax for note in notes(buyer)) == till.look(buyer, one).tax
    with transaction(buyer), pytest.raises(Invalid):
        credit_notes.issue(one, usd(1), "credit", reason="more", key=f"d{one}")
    books_are_right()


def test_a_refund_after_a_partial_note_takes_the_credit_first(buyer: UUID) -> None:
    one = till.invoice(buyer, 10000)
    paid = till.pay(buyer, one)
    with transaction(buyer):
        credit_notes.issue(one, usd(3000), "credit", reason="part", key=f"n{one}")
        refunds.refund(paid, usd(10000), "all of it", f"r{one}")
    run_all(buyer)
    found = till.look(buyer, one)
    assert (found.status, found.due.amount, till.left(buyer), till.owes(buyer)) == ("open", 7000, 0, 7000)
    with transaction(buyer), pytest.raises(Invalid):
        refunds.refund(paid, usd(1), "more", f"r2{one}")
    books_are_right()


def test_a_void_after_a_partial_note_refunds_the_rest(buyer: UUID) -> None:
    one = till.invoice(buyer, 10000, tax="19")
    till.pay(buyer, one)
    with transaction(buyer):
        credit_notes.issue(one, usd(3570), "credit", reason="part", key=f"n{one}")
        voiding.void(one, settle="refund")
        voiding.void(one, settle="refund")
    run_all(buyer)
    assert [(note.total, note.to_refund) for note in notes(buyer)] == [(3570, 0), (8330, 8330)]
    assert (till.look(buyer, one).status, till.left(buyer), till.owes(buyer)) == ("void", 3570, -3570)
    books_are_right()


def test_a_void_of_what_credit_paid_in_part_gives_the_credit_back(buyer: UUID) -> None:
    with transaction(buyer):
        accounts.grant_account_credit(usd(4000), f"k{buyer}", "before")
    one = till.invoice(buyer, 10000)
    assert (till.due(buyer, one), till.left(buyer)) == (6000, 0)
    with transaction(buyer):
        voiding.void(one)
    assert (till.due(buyer, one), till.left(buyer), till.owes(buyer)) == (0, 4000, -4000)
    books_are_right()


@pytest.mark.parametrize(
    ("currency", "small", "large", "expected"),
    [("JPY", 1001, 3001, (1501, -501)), ("KWD", 10001, 30001, (15001, -5001))],
)
def test_changes_in_currencies_of_no_and_of_three_decimals(
    buyer: UUID, currency: str, small: int, large: int, expected: tuple[int, int]
) -> None:
    """Halves go away from zero, at the smallest unit that the currency has."""
    for code, amount in (("small", small), ("large", large)):
        plan(f"{code}-{currency}".lower(), 0)
        with transaction(PLATFORM_ID):
            row = catalogue.plan(f"{code}-{currency}".lower())
            versions.set_price(row, Money(amount, currency), BillingPeriod.MONTHLY)
    with transaction(buyer):
        order = Order(f"small-{currency}".lower(), BillingPeriod.MONTHLY, currency, 1, "")
        click = Click(uuid7(), "1", Money(small, currency), {"test_card": GOOD}, return_url="/back/PAYMENT")
        assert checkout.buy(order, click).state == "done"
    stand(buyer, "2024-01-16T12:00Z")
    with transaction(buyer):
        assert changing.change_plan(of(buyer).id, f"large-{currency}".lower()).state == "done"
    assert (lines(buyer, "plan")[-1].amount, lines(buyer, "credit")[0].amount) == expected
    assert renew(buyer, "2024-02-01") == 1
    assert (bills(buyer)[-1].total, bills(buyer)[-1].currency) == (large, currency)
    books_are_right()


def test_a_gift_larger_than_the_bill_stays_promotional(buyer: UUID) -> None:
    with transaction(buyer):
        accounts.grant_promotional_credit(usd(5000), f"g{buyer}", "gift")
    one = till.invoice(buyer, 1999, tax="8.875")
    found = till.look(buyer, one)
    assert (found.total, found.status, till.left(buyer, "promotional")) == (2176, "paid", 2824)
    with transaction(buyer):
        credit_notes.issue(one, None, "refund", reason="all", key=f"n{one}")
    run_all(buyer)
    assert (till.left(buyer, "promotional"), till.left(buyer)) == (5000, 0)
    books_are_right()
