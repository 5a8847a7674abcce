"""What Stripe keeps is an expense on the ledger: once for each payment, whichever way it is heard."""

from __future__ import annotations

from typing import Any

import pytest
from chom_stripe import attempts, charges
from chom_stripe.cards import customer
from chom_stripe.keys import Keys, api
from chom_stripe.models import Attempt, Difference, SandboxObject
from chom_stripe.sandbox import balances
from sqlalchemy import select, update
from stripe_world import BACK, GATEWAY, card, pay
from test_money import arm, compare, enter_card, intents, payments, top_up

from chom_sdk import Money, Unavailable, transaction, uuid7
from chom_sdk.billing import FollowUp, PaymentRequest
from chom_sdk.testing import Organisation, World, sales

FEE = 103


@pytest.fixture
def shop(chom: World, organisation: Organisation) -> Organisation:
    organisation.enable("stripe")
    chom.run_jobs()
    enter_card(organisation)
    chom.run_jobs()
    return organisation


def fees(of: Organisation) -> int:
    return sum(cents for (_seller, code), cents in sales.balances(of).items() if code == "fees")


def cash(of: Organisation) -> int:
    return sum(cents for (_seller, code), cents in sales.balances(of).items() if code == "cash")


def in_currency(of: Organisation, currency: str) -> dict[str, int]:
    """What stands on the ledger in a currency, by account."""
    return {code: cents for (_seller, code), cents in sales.balances(of, currency).items()}


def rebook(**changes: Any) -> None:
    """Stripe says otherwise of what was booked."""
    with transaction() as here:
        row = select(SandboxObject).where(SandboxObject.kind == "balance_transaction")
        one = here.scalars(row).one()
        here.execute(
            update(SandboxObject).where(SandboxObject.id == one.id).values(body={**one.body, **changes})
        )


def test_the_answer_brings_it_and_nobody_posts_it_again(chom: World, shop: Organisation) -> None:
    top_up(shop)
    assert (fees(shop), cash(shop)) == (FEE, 2500 - FEE)
    chom.run_jobs()
    assert compare(chom) == []
    assert compare(chom) == []
    assert (fees(shop), cash(shop)) == (FEE, 2500 - FEE)
    assert [one.fees for one in payments(shop)] == [(Money(FEE, "USD"),)]
    assert sales.books(chom) == []
    assert "kept this of a payment" in chom.staff_client.get("/staff/ledger").text


@pytest.mark.parametrize("fault", ["lost", "conflict", "rate_limit", "error"])
def test_whatever_goes_wrong_it_is_one_fee(chom: World, shop: Organisation, fault: str) -> None:
    arm(fault, 3)
    assert top_up(shop) == "unknown"
    arm(fault, 0)
    chom.run_jobs()
    assert top_up(shop) == "succeeded"
    chom.run_jobs()
    assert (fees(shop), cash(shop), sales.books(chom)) == (FEE, 2500 - FEE, [])


def test_one_that_is_not_known_yet_comes_with_the_webhook(chom: World, shop: Organisation) -> None:
    arm("unbooked")
    assert top_up(shop) == "succeeded"
    assert fees(shop) == 0
    arm("silent", 9)  # it is booked when the payment's webhook is heard; that it was, is not told
    chom.run_jobs()
    assert fees(shop) == FEE


def test_one_that_is_booked_later_comes_with_the_charges_webhook(chom: World, shop: Organisation) -> None:
    arm("unbooked")
    arm("silent", 1)
    assert top_up(shop) == "succeeded"
    chom.run_jobs()
    assert fees(shop) == 0
    api(Keys()).payment_intents.retrieve(intents()[0]["id"])
    chom.run_jobs()
    assert fees(shop) == FEE
    assert sales.books(chom) == []


def test_one_that_no_webhook_told_of_is_found_at_night(chom: World, shop: Organisation) -> None:
    """Stripe booked it later and told nobody: the comparison posts it, and says so once."""
    arm("unbooked")
    arm("silent", 99)
    assert top_up(shop) == "succeeded"
    api(Keys()).payment_intents.retrieve(intents()[0]["id"])  # booked there, unheard here
    found = compare(chom)
    assert ("fee", "posted now") in found
    assert fees(shop) == FEE
    assert compare(chom) == []


def test_a_declined_card_costs_nothing(shop: Organisation) -> None:
    done = pay(shop.id, "pm_card_chargeCustomerFail")
    assert (done.status, done.fee) == ("declined", None)
    with transaction() as here:
        kind = SandboxObject.kind == "balance_transaction"
        assert here.scalars(select(SandboxObject.id).where(kind)).all() == []


def test_a_fee_in_another_currency_is_posted_in_it(chom: World, shop: Organisation) -> None:
    """The account settles in euros: so does the fee, and the payment's dollars stay whole."""
    arm("unbooked")
    arm("silent", 99)
    top_up(shop)
    api(Keys()).payment_intents.retrieve(intents()[0]["id"])
    rebook(currency="eur")
    assert ("fee", "posted now") in compare(chom)
    assert in_currency(shop, "EUR") == {"fees": FEE, "cash": -FEE}
    assert (fees(shop), cash(shop)) == (0, 2500)
    assert [one.fees for one in payments(shop)] == [(Money(FEE, "EUR"),)]
    assert (compare(chom), sales.books(chom)) == ([], [])


def test_a_fee_of_another_amount_than_was_posted_is_for_a_person(chom: World, shop: Organisation) -> None:
    top_up(shop)
    rebook(fee=FEE + 1)
    assert compare(chom) == compare(chom) == [("fee", "")]
    with transaction() as here:
        one = here.scalars(select(Difference).where(Difference.kind == "fee")).one()
    assert (one.ours, one.theirs, fees(shop)) == ("$1.03", "$1.04", FEE)


def test_a_hold_costs_when_it_is_captured_and_for_what_is(shop: Organisation) -> None:
    held = GATEWAY.authorise(
        PaymentRequest(f"k/{uuid7()}", Money(2500, "USD"), card(shop.id), shop.id, "Invoice", BACK)
    )
    assert (held.status, held.fee) == ("authorised", None)
    done = GATEWAY.capture(FollowUp("c", held.reference, shop.id, Money(1000, "USD")))
    assert done.fee is not None
    assert done.fee.amount == Money(balances.fee(1000), "USD") == Money(59, "USD")


def test_a_payment_first_asked_for_by_an_older_version_is_asked_for_the_same_way(shop: Organisation) -> None:
    """It did not ask to hear of the fee, and Stripe takes a key for the very same question only."""
    asked = PaymentRequest(f"k/{uuid7()}", Money(900, "USD"), card(shop.id), shop.id, "Invoice", BACK)
    customer(Keys(), shop.id)
    attempts.decide("sandbox", charges.name(asked), shop.id, "")
    with transaction() as here:
        here.execute(update(Attempt).where(Attempt.key == charges.name(asked)).values(destination=None))
    arm("lost", 3)
    with pytest.raises(Unavailable):
        GATEWAY.charge(asked)
    done = GATEWAY.charge(asked)
    assert (done.status, done.fee) == ("succeeded", None)
    found = GATEWAY.confirm(FollowUp("f", done.reference, shop.id))
    assert found.fee is not None


def test_what_the_sandbox_keeps() -> None:
    assert [balances.fee(cents) for cents in (1, 100, 2500, 7900)] == [30, 33, 103, 259]
