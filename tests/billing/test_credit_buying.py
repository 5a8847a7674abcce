"""Buying with credit: the card is charged for what credit does not pay, and drafts move no money."""

from __future__ import annotations

from uuid import UUID

from chom_sandbox_gateway import book
from sqlalchemy import select

from chom_core.billing.models import Invoice, Subscription
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.credit import accounts
from chom_core.database import transaction
from chom_core.values import Money
from chom_core.work import run_all
from tests.billing import till
from tests.billing.shop import BANK, DECLINED, books_are_right, buy, click, order
from tests.billing.test_renewal import end_of_period, renew_at


def give(tenant: UUID, major: str, key: str = "k") -> None:
    with transaction(tenant):
        accounts.grant_account_credit(Money.of(major, "USD"), key, "test")


def test_a_plan_is_paid_by_credit_first_and_by_card_for_the_rest(buyer: UUID) -> None:
    give(buyer, "20.00")
    assert buy(buyer).state == "done"
    assert [charge.amount for charge in book.charges()] == [5900]
    with transaction(buyer) as here:
        invoice = here.scalars(select(Invoice)).one()
        assert (invoice.status, invoice.amount_paid, invoice.amount_credited) == ("paid", 5900, 2000)
        assert here.scalars(select(Subscription.status)).one() == "active"
    assert till.left(buyer) == 0
    books_are_right()


def test_credit_pays_a_whole_plan_and_its_renewal_without_a_charge(buyer: UUID) -> None:
    give(buyer, "158.00")
    assert buy(buyer).state == "done"
    assert renew_at(buyer, end_of_period(buyer)) == 1
    assert book.charges() == []
    with transaction(buyer) as here:
        assert here.scalars(select(Invoice.status)).all() == ["paid", "paid"]
    books_are_right()


def test_a_declined_purchase_uses_no_credit(buyer: UUID) -> None:
    give(buyer, "20.00")
    assert buy(buyer, DECLINED).state == "declined"
    assert till.left(buyer) == 2000
    books_are_right()


def test_credit_spent_while_the_bank_is_thinking_leaves_the_rest_open(buyer: UUID) -> None:
    """Twenty were counted on, and are gone when the money comes: the rest is due, nothing is lost."""
    give(buyer, "20.00")
    waiting = buy(buyer, BANK)
    assert waiting.payment_id
    till.invoice(buyer, 2000)
    book.decide(waiting.url.rsplit("/", 1)[1], approve=True)
    with transaction(buyer):
        checkout.confirm(waiting.payment_id)
    assert waiting.invoice_id
    found = till.look(buyer, waiting.invoice_id)
    assert (found.status, found.due.amount, found.amount_paid) == ("open", 2000, 5900)
    with transaction(buyer) as here:
        assert here.scalars(select(Subscription.status)).one() == "past_due"
    till.pay(buyer, waiting.invoice_id)
    with transaction(buyer) as here:
        assert here.scalars(select(Subscription.status)).one() == "active"
    books_are_right()


def test_credit_that_came_while_the_bank_was_thinking_is_kept(buyer: UUID) -> None:
    waiting = buy(buyer, BANK)
    give(buyer, "20.00")
    book.decide(waiting.url.rsplit("/", 1)[1], approve=True)
    assert waiting.payment_id
    with transaction(buyer):
        assert checkout.confirm(waiting.payment_id).state == "done"
    assert (till.left(buyer), till.owes(buyer)) == (2000, -2000)
    books_are_right()


def test_a_service_is_held_for_what_credit_does_not_pay(buyer: UUID) -> None:
    give(buyer, "2.00")
    with transaction(buyer):
        assert checkout.buy(order("toy-alone", name="corner"), click(amount="9.00")).state == "building"
    assert [(charge.status, charge.amount) for charge in book.charges()] == [("held", 700)]
    assert till.left(buyer) == 200
    run_all(buyer)
    assert [charge.status for charge in book.charges()] == ["taken"]
    assert till.left(buyer) == 0
    books_are_right()
