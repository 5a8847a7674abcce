"""The sandbox as billing uses it: every card, every key, holds, refunds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from chom_sandbox_gateway import book, cards
from chom_sandbox_gateway.gateway import Sandbox

from chom_sdk import Conflict, Invalid, Money, NotFound, uuid7
from chom_sdk.billing import CardFormQuery, CardSubmission, FollowUp, Gateway, PaymentRequest, PaymentResult
from chom_sdk.testing import World

BUYER = uuid7()
SANDBOX = Sandbox()


@pytest.fixture(autouse=True)
def world(chom: World) -> World:
    return chom


def card(number: str, buyer: UUID = BUYER) -> str:
    return SANDBOX.save_method(CardSubmission(buyer, {"test_card": number})).reference


def ask(
    number: str = "4242424242424242", key: str = "k", cents: int = 900, *, away: bool = False
) -> PaymentRequest:
    return PaymentRequest(key, Money(cents, "USD"), card(number), BUYER, "Invoice", "/back", away)


def follow(key: str, done: PaymentResult, cents: int | None = None) -> FollowUp:
    return FollowUp(key, done.reference, BUYER, Money(cents, "USD") if cents else None)


@pytest.mark.parametrize("one", cards.CARDS, ids=lambda one: one.shown)
def test_each_card_does_what_it_says(one: cards.TestCard) -> None:
    expected = {
        "pays": "succeeded", "later": "succeeded", "disputed": "succeeded", "second_step": "requires_action"
    }  # fmt: skip
    here = SANDBOX.charge(ask(one.number))
    assert here.status == expected.get(one.behaviour, "declined")
    away = SANDBOX.charge(ask(one.number, "away", away=True))
    assert away.status == ("succeeded" if one.behaviour in ("pays", "disputed") else "declined")
    if away.status == "declined":
        assert away.message
        assert away.fix


def test_a_key_is_answered_once_for_ever() -> None:
    first = SANDBOX.charge(ask())
    assert SANDBOX.charge(ask()) == first
    with pytest.raises(Conflict):
        SANDBOX.charge(ask(cents=901))
    with pytest.raises(Conflict):
        SANDBOX.authorise(ask())
    assert len(book.charges()) == 1


def test_twenty_at_once_with_one_key_are_one_charge() -> None:
    request = ask()
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: SANDBOX.charge(request).reference, range(20)))
    assert len(answers) == len(book.charges()) == 1


def test_a_hold_is_captured_or_let_go_but_not_both() -> None:
    held = SANDBOX.authorise(ask())
    assert held.status == "authorised"
    assert SANDBOX.capture(follow("c", held)).status == "succeeded"
    assert SANDBOX.cancel(follow("x", held)).status == "succeeded"
    other = SANDBOX.authorise(ask(key="k2"))
    assert SANDBOX.cancel(follow("x2", other)).status == "cancelled"
    with pytest.raises(Conflict):
        SANDBOX.capture(follow("c2", other))


def test_never_more_is_refunded_than_was_paid() -> None:
    paid = SANDBOX.charge(ask())
    SANDBOX.refund(follow("r1", paid, 500))
    SANDBOX.refund(follow("r1", paid, 500))
    with pytest.raises(Conflict):
        SANDBOX.refund(follow("r2", paid, 401))
    SANDBOX.refund(follow("r3", paid, 400))
    assert [charge.refunded for charge in book.charges()] == [900]


def test_the_bank_page_decides_once() -> None:
    waiting = SANDBOX.charge(ask("4000002760003184"))
    assert waiting.url == book.BANK + waiting.reference
    book.decide(waiting.reference, approve=True)
    book.decide(waiting.reference, approve=False)
    assert SANDBOX.confirm(follow("", waiting)).status == "succeeded"


def test_a_stranger_cannot_use_the_card_or_the_charge() -> None:
    paid = SANDBOX.charge(ask())
    with pytest.raises(NotFound):
        SANDBOX.refund(FollowUp("r", paid.reference, uuid7()))
    with pytest.raises(NotFound):
        SANDBOX.charge(PaymentRequest("z", Money(1, "USD"), card("4242424242424242"), uuid7(), "x"))


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, "card_number"),
        ({"card_number": "4111 1111 1111 1111"}, "card_number"),
        ({"card_number": "4242 4242 4242 4242", "card_expiry": "13/40"}, "card_expiry"),
        ({"card_number": "4242424242424242", "card_expiry": "01/20"}, "card_expiry"),
    ],
)
def test_wrong_fields_are_named(fields: dict[str, str], wrong: str) -> None:
    submission = CardSubmission(BUYER, fields)
    assert "4111" not in repr(submission)
    with pytest.raises(Invalid) as seen:
        SANDBOX.save_method(submission)
    assert wrong in seen.value.fields


def test_it_is_a_gateway() -> None:
    assert isinstance(SANDBOX, Gateway)
    assert SANDBOX.card_form(CardFormQuery(BUYER, "USD")).template == "sandbox_gateway/card_form.html"
