"""The gateway's contract with Stripe: against the sandbox always, against Stripe itself where a test key is set.

CHOM_STRIPE_TEST_KEY=sk_test_… ./dev test plugins/stripe/tests/test_gateway.py
"""

from __future__ import annotations

import os
from dataclasses import replace
from uuid import UUID

import pytest
from chom_stripe.gateway import StripeGateway
from chom_stripe.keys import Keys
from chom_stripe.payouts import StripePayouts
from stripe_world import BACK, card

from chom_sdk import Conflict, Invalid, Money, NotFound, uuid7
from chom_sdk.billing import (
    CardElsewhere,
    CardFormQuery,
    CardSubmission,
    FollowUp,
    Gateway,
    Onboarding,
    Payee,
    PaymentRequest,
    PaymentResult,
    PayoutGateway,
    PayoutRequest,
)
from chom_sdk.testing import Organisation, World

KEY = os.environ.get("CHOM_STRIPE_TEST_KEY", "")


@pytest.fixture(params=["sandbox", "stripe"])
def gateway(request: pytest.FixtureRequest, chom: World) -> StripeGateway:
    if request.param == "sandbox":
        return StripeGateway(Keys())
    if not KEY:
        pytest.skip("against Stripe itself only where CHOM_STRIPE_TEST_KEY holds an sk_test_ key")
    assert KEY.startswith(("sk_test_", "rk_test_")), "never with a live key"
    return StripeGateway(Keys(KEY))


@pytest.fixture
def buyer(organisation: Organisation) -> UUID:
    return organisation.id


def ask(
    gateway: StripeGateway,
    buyer: UUID,
    token: str = "pm_card_visa",
    key: str = "",
    cents: int = 900,
    *,
    away: bool = False,
) -> PaymentRequest:
    method = card(buyer, token, gateway)
    return PaymentRequest(key or f"k/{uuid7()}", Money(cents, "USD"), method, buyer, "Invoice", BACK, away)


def follow(done: PaymentResult, buyer: UUID, cents: int | None = None, key: str = "") -> FollowUp:
    return FollowUp(key or f"f/{uuid7()}", done.reference, buyer, Money(cents, "USD") if cents else None)


def test_it_is_a_gateway_and_pays_out(gateway: StripeGateway, buyer: UUID) -> None:
    assert isinstance(gateway, Gateway)
    assert isinstance(StripePayouts(gateway.keys), PayoutGateway)
    assert gateway.sandbox
    assert gateway.card_form(CardFormQuery(buyer, "USD")).template == "stripe/card_form.html"
    assert KEY[-8:] not in repr(gateway) or not KEY


def test_a_card_is_entered_on_stripes_page(gateway: StripeGateway, buyer: UUID) -> None:
    with pytest.raises(CardElsewhere) as there:
        gateway.save_method(CardSubmission(buyer, {}, BACK))
    assert there.value.url.startswith(("/stripe/sandbox/checkout/", "https://checkout.stripe.com/"))
    with pytest.raises(Invalid):
        gateway.save_method(CardSubmission(buyer, {"entered": "no"}, BACK))
    with pytest.raises(Invalid):
        gateway.save_method(CardSubmission(buyer, {"session_id": "cs_test_somebody"}, BACK))


@pytest.mark.parametrize("away", [False, True], ids=["here", "away"])
def test_a_good_card_pays(gateway: StripeGateway, buyer: UUID, away: bool) -> None:
    done = gateway.charge(ask(gateway, buyer, away=away))
    assert (done.status, done.reference[:3]) == ("succeeded", "pi_")
    assert gateway.confirm(follow(done, buyer)).status == "succeeded"


def test_a_card_that_fails_is_declined_with_words(gateway: StripeGateway, buyer: UUID) -> None:
    request = ask(gateway, buyer, "pm_card_chargeCustomerFail")
    done = gateway.charge(request)
    assert done.status == "declined"
    assert done.reference
    assert done.code
    assert done.message
    assert done.fix
    assert gateway.charge(request) == done


def test_the_bank_asks_for_a_second_step(gateway: StripeGateway, buyer: UUID) -> None:
    here = gateway.charge(ask(gateway, buyer, "pm_card_authenticationRequired"))
    assert here.status == "requires_action"
    assert here.url
    assert gateway.cancel(follow(here, buyer)).status == "cancelled"
    away = gateway.charge(ask(gateway, buyer, "pm_card_authenticationRequired", away=True))
    assert (away.status, away.code) == ("declined", "authentication_required")


def test_a_key_moves_money_once(gateway: StripeGateway, buyer: UUID) -> None:
    request = ask(gateway, buyer)
    first = gateway.charge(request)
    assert gateway.charge(request) == first


def test_two_organisations_may_have_the_same_key(
    gateway: StripeGateway, buyer: UUID, other_organisation: Organisation
) -> None:
    key = f"top-up/{uuid7()}"
    mine = gateway.charge(ask(gateway, buyer, key=key))
    theirs = gateway.charge(ask(gateway, other_organisation.id, key=key))
    assert mine.status == theirs.status == "succeeded"
    assert mine.reference != theirs.reference


def test_a_hold_is_captured_or_let_go(gateway: StripeGateway, buyer: UUID) -> None:
    held = gateway.authorise(ask(gateway, buyer))
    assert held.status == "authorised"
    assert gateway.capture(follow(held, buyer)).status == "succeeded"
    assert gateway.capture(follow(held, buyer)).status == "succeeded"
    assert gateway.cancel(follow(held, buyer)).status == "succeeded"
    other = gateway.authorise(ask(gateway, buyer))
    assert gateway.cancel(follow(other, buyer)).status == "cancelled"
    assert gateway.capture(follow(other, buyer)).status == "declined"


def test_part_of_a_hold_may_be_captured(gateway: StripeGateway, buyer: UUID) -> None:
    held = gateway.authorise(ask(gateway, buyer))
    assert gateway.capture(follow(held, buyer, 400)).status == "succeeded"
    with pytest.raises(Conflict):
        gateway.refund(follow(held, buyer, 401))
    assert gateway.refund(follow(held, buyer, 400)).status == "succeeded"


def test_never_more_is_refunded_than_was_paid(gateway: StripeGateway, buyer: UUID) -> None:
    paid = gateway.charge(ask(gateway, buyer))
    first = gateway.refund(follow(paid, buyer, 500, key := f"r/{uuid7()}"))
    assert gateway.refund(follow(paid, buyer, 500, key)) == first
    assert gateway.confirm(follow(first, buyer)).status == "succeeded"
    with pytest.raises(Conflict):
        gateway.refund(follow(paid, buyer, 401))
    assert gateway.refund(follow(paid, buyer, 400)).status == "succeeded"


def test_another_organisation_cannot_touch_it(
    gateway: StripeGateway, buyer: UUID, other_organisation: Organisation
) -> None:
    paid = gateway.charge(ask(gateway, buyer))
    for act in (gateway.refund, gateway.confirm, gateway.cancel, gateway.capture):
        with pytest.raises(NotFound):
            act(follow(paid, other_organisation.id))
    theirs = PaymentRequest(
        f"k/{uuid7()}",
        Money(900, "USD"),
        card(buyer, "pm_card_visa", gateway),
        other_organisation.id,
        "x",
        BACK,
    )
    assert gateway.charge(theirs).status == "declined"


def test_a_payee_opens_an_account_on_stripes_page(gateway: StripeGateway, buyer: UUID) -> None:
    payouts, payee = StripePayouts(gateway.keys), Payee("affiliate", buyer)
    assert payouts.account(payee) is None
    assert payouts.pay_out(PayoutRequest("p/1", payee, Money(900, "USD"), "x")).code == "no_account"
    first = payouts.onboard(Onboarding(payee, BACK))
    again = payouts.onboard(Onboarding(payee, BACK))
    assert first.startswith(("/stripe/sandbox/onboarding/", "https://connect.stripe.com/"))
    assert again
    account = payouts.account(payee)
    assert account is not None
    assert account.reference.startswith("acct_")
    assert not account.ready
    assert payouts.pay_out(PayoutRequest(f"p/{uuid7()}", payee, Money(900, "USD"), "x")).status == "failed"


def test_a_reseller_whose_account_is_not_ready_is_collected_for(
    gateway: StripeGateway, buyer: UUID, other_organisation: Organisation
) -> None:
    """Its account is asked for card payments; until it has them, the platform takes the money. Its fee has a name."""
    payouts, seller = StripePayouts(gateway.keys), Payee("seller", other_organisation.id)
    assert payouts.onboard(Onboarding(seller, BACK, sells=True))
    assert payouts.onboard(Onboarding(seller, BACK, sells=True))
    done = gateway.charge(replace(ask(gateway, buyer), seller=other_organisation.id))
    assert (done.status, done.direct) == ("succeeded", False)
    fee = gateway.confirm(follow(done, buyer)).fee
    assert fee is None or (fee.reference[:4], fee.amount.amount > 0, fee.of_platform) == ("txn_", True, True)
    assert gateway.refund(follow(done, buyer, 400)).status == "succeeded"
