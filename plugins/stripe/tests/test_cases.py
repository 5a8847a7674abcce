"""WEB-01 to WEB-03 of the billing cases: webhooks out of order, one thrice, and a retry after Stripe forgot the key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from chom_stripe.models import SandboxObject
from chom_stripe.sandbox import events, faults
from sqlalchemy import select
from test_money import enter_card, intents, payments, top_up

from chom_sdk import Money, billing, clock, transaction
from chom_sdk.testing import Organisation, World

URL = "/api/v1/stripe/webhook"


@pytest.fixture
def unheard(chom: World, organisation: Organisation) -> Organisation:
    """A top-up was charged, its answer is lost, and Stripe has sent nothing yet."""
    organisation.enable("stripe")
    chom.run_jobs()
    enter_card(organisation)
    chom.run_jobs()
    with transaction():
        faults.arm("silent", 99)
        faults.arm("lost", 3)
    assert top_up(organisation) == "unknown"
    return organisation


def told() -> list[str]:
    """The events about the payment, oldest first."""
    with transaction() as here:
        rows = select(SandboxObject).where(SandboxObject.kind == "event").order_by(SandboxObject.id)
        return [row.reference for row in here.scalars(rows) if row.body["type"].startswith("payment_intent.")]


def deliver(chom: World, event_id: str) -> int:
    with transaction():
        body, signature = events.signed(event_id)
    answer = chom.app.test_client().post(URL, data=body, headers={"Stripe-Signature": signature})
    return int(answer.status_code)


def credit(of: Organisation) -> Money:
    with of.acting():
        return billing.account_credit().account


def test_web_01_news_that_comes_the_wrong_way_round(chom: World, unheard: Organisation) -> None:
    """The newest is told first; what is older changes nothing: the object is asked, not the event."""
    for event_id in reversed(told()):
        assert deliver(chom, event_id) == 200
        chom.run_jobs()
    assert [payment.status for payment in payments(unheard)] == ["succeeded"]
    assert credit(unheard) == Money(2500, "USD")


def test_web_02_one_event_three_times_twice_at_once(chom: World, unheard: Organisation) -> None:
    event_id = told()[-1]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: deliver(chom, event_id), range(2)))
    answers.append(deliver(chom, event_id))
    chom.run_jobs()
    assert answers == [200, 200, 200]
    assert credit(unheard) == Money(2500, "USD")
    assert [payment.status for payment in payments(unheard)] == ["succeeded"]


def test_web_03_a_lost_answer_is_asked_for_after_the_keys_are_gone(
    chom: World, unheard: Organisation
) -> None:
    """Stripe may forget a key after a day; our own attempt is remembered, so it is one charge."""
    unheard.move_clock(clock.now() + timedelta(hours=30))
    assert top_up(unheard) == "succeeded"
    assert [payment.status for payment in payments(unheard)] == ["succeeded"]
    assert len(intents()) == 1
