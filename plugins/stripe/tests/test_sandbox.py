"""The sandbox: refuses what Stripe would refuse, fails on demand, and never makes two of one key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
import stripe
from chom_stripe.keys import Keys, api
from chom_stripe.models import Attempt, SandboxObject
from chom_stripe.sandbox import cards, conform, faults
from sqlalchemy import func, select, update
from stripe_world import BACK, GATEWAY, card, enter, pay, session_reference

from chom_sdk import Conflict, Money, Unavailable, clock, transaction
from chom_sdk.billing import CardSubmission, FollowUp, PaymentRequest
from chom_sdk.testing import Organisation, World

SANDBOX = Keys()


@pytest.fixture
def buyer(chom: World, organisation: Organisation) -> UUID:
    return organisation.id


def arm(name: str, times: int = 1) -> None:
    with transaction():
        faults.arm(name, times)


def made(kind: str = "payment_intent") -> int:
    with transaction() as here:
        return here.scalar(select(func.count()).where(SandboxObject.kind == kind)) or 0


@pytest.mark.parametrize(
    ("method", "path", "data", "wrong"),
    [
        ("post", "/v1/refunds", {"payment_intent": "pi_1", "amount": "5"}, ""),
        ("post", "/v1/refunds", {"payment_intent": "pi_1", "ammount": "5"}, "ammount"),
        ("post", "/v1/refunds", {"reason": "because"}, "reason"),
        ("post", "/v1/payment_intents", {"amount": "5"}, "currency"),
        ("post", "/v1/payment_intents", {"amount": "five", "currency": "usd"}, "amount"),
        ("post", "/v1/payment_intents", {"amount": "5", "currency": "usd", "confirm": "maybe"}, "confirm"),
        ("post", "/v1/transfers", {"amount": "5", "currency": "usd"}, "destination"),
        ("post", "/v1/accounts", {"controller": {"fees": {"payer": "nobody"}}}, "controller.fees.payer"),
        ("post", "/v1/accounts", {"controller": {"fee": {}}}, "controller.fee"),
        ("post", "/v1/checkout/sessions", {"mode": "setup", "allowed_payment_method_types": ["card"]}, ""),
        ("post", "/v1/checkout/sessions", {"mode": "setup", "payment_method_types": ["card"]}, "payment_method_types"),
        ("post", "/v1/subscription_items/si_1/usage_records", {"quantity": "1"}, "Unrecognized"),
        ("delete", "/v1/refunds/re_1", {}, "Unrecognized"),
    ],
)  # fmt: skip
def test_a_request_is_checked_against_the_sdks_own_types(
    method: str, path: str, data: dict, wrong: str
) -> None:  # type: ignore[type-arg]
    found = conform.problems(method, path, data)
    assert (wrong in found[0]) if wrong else found == []


def test_an_unknown_parameter_is_refused_through_the_client(buyer: UUID) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="emial"):
        api(SANDBOX).customers.create({"emial": "a@b.test"})  # type: ignore[typeddict-unknown-key]


@pytest.mark.parametrize("fault", ["lost", "conflict", "error"])
@pytest.mark.parametrize("times", [1, 2])
def test_the_sdk_tries_again_and_one_payment_is_made(buyer: UUID, fault: str, times: int) -> None:
    method = card(buyer)
    arm(fault, times)
    request = PaymentRequest("k/1", Money(900, "USD"), method, buyer, "Invoice", BACK)
    assert GATEWAY.charge(request).status == "succeeded"
    assert made() == 1


@pytest.mark.parametrize("fault", ["lost", "rate_limit", "error"])
def test_an_answer_nobody_heard_is_asked_for_again(buyer: UUID, fault: str) -> None:
    """Core sees Unavailable and comes back with the same key."""
    request = PaymentRequest("k/1", Money(900, "USD"), card(buyer), buyer, "Invoice", BACK)
    arm(fault, 3)
    with pytest.raises(Unavailable):
        GATEWAY.charge(request)
    arm(fault, 0)
    assert GATEWAY.charge(request).status == "succeeded"
    assert made() == 1


def test_a_key_that_stripe_forgot_still_pays_once(organisation: Organisation, buyer: UUID) -> None:
    """The answer was lost and a day went by: what the key made is found there, not made again."""
    request = PaymentRequest("k/1", Money(900, "USD"), card(buyer), buyer, "Invoice", BACK)
    arm("lost", 3)
    with pytest.raises(Unavailable):
        GATEWAY.charge(request)
    organisation.move_clock(clock.machine() + timedelta(days=3))
    with organisation.acting():
        assert GATEWAY.charge(request).status == "succeeded"
    assert made() == 1


def test_a_refund_whose_key_was_forgotten_is_given_once(organisation: Organisation, buyer: UUID) -> None:
    paid = pay(buyer)
    asked = FollowUp("r/1", paid.reference, buyer, Money(300, "USD"))
    arm("lost", 3)
    with pytest.raises(Unavailable):
        GATEWAY.refund(asked)
    organisation.move_clock(clock.machine() + timedelta(days=3))
    with organisation.acting():
        assert GATEWAY.refund(asked).status == "succeeded"
    assert made("refund") == 1


def test_twenty_at_once_with_one_key_are_one_payment(buyer: UUID) -> None:
    request = PaymentRequest("k/1", Money(900, "USD"), card(buyer), buyer, "Invoice", BACK)
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: GATEWAY.charge(request).reference, range(20)))
    assert len(answers) == made() == 1


def test_the_same_key_with_other_facts_is_refused(buyer: UUID) -> None:
    method = card(buyer)
    GATEWAY.charge(PaymentRequest("k/1", Money(900, "USD"), method, buyer, "Invoice", BACK))
    with transaction() as here:
        here.execute(update(Attempt).values(reference=""))
    with pytest.raises(Conflict):
        GATEWAY.charge(PaymentRequest("k/1", Money(901, "USD"), method, buyer, "Invoice", BACK))
    assert made() == 1


def test_a_hold_lapses_after_a_week(organisation: Organisation, buyer: UUID) -> None:
    held = pay(buyer, hold=True)
    organisation.move_clock(clock.machine() + timedelta(days=8))
    with organisation.acting():
        late = GATEWAY.capture(FollowUp("c/1", held.reference, buyer))
    assert (late.status, late.code) == ("declined", "authorization_expired")


@pytest.mark.parametrize("one", cards.CARDS, ids=lambda one: one.token)
def test_each_test_card_can_be_entered_or_is_refused(buyer: UUID, one: cards.TestCard) -> None:
    from chom_stripe.sandbox.store import Refusal

    reference = session_reference(buyer)
    if one.behaviour == "refused":
        with pytest.raises(Refusal):
            enter(reference, one.number)
        return
    enter(reference, one.number)
    saved = GATEWAY.save_method(CardSubmission(buyer, {"session_id": reference}, BACK))
    assert (saved.last4, saved.brand) == (one.number[-4:], one.brand.title())
    assert GATEWAY.save_method(CardSubmission(buyer, {"session_id": reference}, BACK)) == saved
    paid = GATEWAY.charge(PaymentRequest("k/1", Money(900, "USD"), saved.reference, buyer, "Invoice", BACK))
    expected = {"fails": "declined", "second_step": "requires_action"}
    assert paid.status == expected.get(one.behaviour, "succeeded")


def test_a_session_of_another_organisation_gives_no_card(
    buyer: UUID, other_organisation: Organisation
) -> None:
    from chom_sdk import Invalid

    reference = session_reference(buyer)
    enter(reference)
    session_reference(other_organisation.id)
    with pytest.raises(Invalid):
        GATEWAY.save_method(CardSubmission(other_organisation.id, {"session_id": reference}, BACK))


def test_amounts_are_what_stripe_counts(buyer: UUID) -> None:
    from chom_stripe.outcomes import minor, money

    for amount in (Money(900, "USD"), Money(900, "JPY"), Money(900, "ISK"), Money(900, "BHD")):
        assert money(minor(amount), amount.currency.lower()) == amount
    assert minor(Money(900, "ISK")) == 90_000
