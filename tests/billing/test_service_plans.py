"""Buying one service: held, built, then charged; nothing charged where nothing was built."""

from __future__ import annotations

from uuid import UUID

import pytest
from chom_sandbox_gateway import book
from sqlalchemy import select

from chom_core.billing import ledger
from chom_core.billing.models import Checkout, Invoice, Subscription, SubscriptionItem
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.buying.checkout import Outcome
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import transaction
from chom_core.provisioning import reads, service
from chom_core.provisioning.funding import ends, prices
from chom_core.provisioning.models import Service
from chom_core.values import Invalid, Money, PaymentRequired, uuid7
from chom_core.values.provisioning import Refusal
from chom_core.work import run_all
from tests.billing.plans import plan
from tests.billing.shop import BANK, DECLINED, GOOD, books_are_right, buy, click, events, order
from tests.provisioning.toy import hooks


def buy_toy(tenant: UUID, card: str = GOOD, name: str = "corner", **settings: str) -> Outcome:
    pressed = click(card, "9.00")
    pressed = type(pressed)(pressed.checkout_id, "1", pressed.expected, card=pressed.card,
                            return_url=pressed.return_url, settings=settings)  # fmt: skip
    with transaction(tenant):
        return checkout.buy(order("toy-alone", name=name), pressed)


def test_the_money_is_held_while_it_is_built_and_taken_when_it_stands(buyer: UUID) -> None:
    bought = buy_toy(buyer)
    assert bought.state == "building"
    assert [charge.status for charge in book.charges()] == ["held"]
    with transaction(buyer) as here:
        assert here.scalars(select(Invoice.status)).one() == "draft"
        assert here.scalars(select(Subscription.status)).one() == "incomplete"
    run_all(buyer)
    assert [charge.status for charge in book.charges()] == ["taken"]
    with transaction(buyer) as here:
        invoice = here.scalars(select(Invoice)).one()
        assert (invoice.status, invoice.number, invoice.total) == ("paid", "INV-000001", 900)
        assert here.scalars(select(Subscription.status)).one() == "active"
        assert here.scalars(select(Checkout.status)).one() == "done"
        assert bought.service_id
        found = reads.service(bought.service_id)
        assert found.status == "active"
        assert found.paid_by == subscriptions.source(here.scalars(select(SubscriptionItem)).one())
        assert ends(found)[0].startswith("Toy alone «corner», $9.00/month")
    books_are_right()


def test_a_failed_build_lets_the_hold_go_and_charges_nothing(buyer: UUID) -> None:
    bought = buy_toy(buyer, fail_at="run")
    assert bought.state == "building"
    run_all(buyer)
    assert [charge.status for charge in book.charges()] == ["cancelled"]
    with transaction(buyer) as here:
        assert here.scalars(select(Subscription.status)).one() == "cancelled"
        assert here.scalars(select(Invoice.status)).all() == ["void"]
        assert here.scalars(select(Invoice.number)).all() == [None]
        assert ledger.balance("cash", "USD") == Money(0, "USD")
        assert bought.checkout_id
        assert checkout.outcome(bought.checkout_id).state == "failed"
    assert "checkout.failed" in events(buyer)
    books_are_right()


def test_a_declined_card_makes_no_service(buyer: UUID) -> None:
    assert buy_toy(buyer, DECLINED).state == "declined"
    run_all(buyer)
    with transaction(buyer) as here:
        assert here.scalars(select(Service)).all() == []
    books_are_right()


def test_a_bad_name_is_refused_before_the_card_is_touched(buyer: UUID) -> None:
    with pytest.raises(Invalid) as seen:
        buy_toy(buyer, name="no spaces please")
    assert "service_name" in seen.value.fields
    assert book.charges() == []


def test_a_refused_order_after_the_hold_lets_it_go(buyer: UUID) -> None:
    waiting = buy_toy(buyer, BANK)
    assert waiting.state == "action"
    assert waiting.payment_id
    book.decide(waiting.url.rsplit("/", 1)[1], approve=True)
    hooks.refusals.append(Refusal("Your budget is used up.", "Raise it."))
    try:
        with transaction(buyer):
            answer = checkout.confirm(waiting.payment_id)
    finally:
        hooks.refusals.clear()
    assert (answer.state, answer.message) == ("failed", "Your budget is used up. Raise it.")
    run_all(buyer)
    assert [charge.status for charge in book.charges()] == ["cancelled"]
    with transaction(buyer) as here:
        assert here.scalars(select(Service)).all() == []
    books_are_right()


def test_the_second_step_then_the_build_then_the_charge(buyer: UUID) -> None:
    waiting = buy_toy(buyer, BANK)
    assert waiting.payment_id
    book.decide(waiting.url.rsplit("/", 1)[1], approve=True)
    with transaction(buyer):
        assert checkout.confirm(waiting.payment_id).state == "building"
    run_all(buyer)
    assert [charge.status for charge in book.charges()] == ["taken"]


def test_deleting_the_service_ends_its_plan_at_the_end_of_what_is_paid(buyer: UUID) -> None:
    bought = buy_toy(buyer)
    run_all(buyer)
    assert bought.service_id
    with transaction(buyer):
        service.delete_service(bought.service_id, "corner")
    run_all(buyer)
    with transaction(buyer) as here:
        of = here.scalars(select(Subscription)).one()
        assert of.cancel_at == of.current_period_end


def test_sites_use_the_hosting_plan_until_it_is_full(buyer: UUID) -> None:
    with transaction(buyer), pytest.raises(PaymentRequired) as seen:
        service.create_service(kind="toy", name=f"x{uuid7().hex[-6:]}")
    assert "prices page" in seen.value.fix
    buy(buyer, GOOD, "29.00", "starter")
    for count in range(1, 6):
        with transaction(buyer):
            assert service.order_words("toy").words == f"Included in Starter ({count} of 5)"
            service.create_service(kind="toy", name=f"site{count}")
    with transaction(buyer):
        assert set(prices(reads.services()).values()) == {"Included in Starter (5 of 5)"}
        assert service.order_words("toy").words == "Beyond the 5 sites of Starter: $5.00/month"
        service.create_service(kind="toy", name="site6")
    with transaction(buyer):
        assert set(prices(reads.services()).values()) == {"In Starter (5 of 6 included)"}


def test_a_plan_whose_sites_have_no_price_is_full_at_its_limit(buyer: UUID) -> None:
    plan("fixed", 2900, allowances={"sites": 1})
    buy(buyer, GOOD, "29.00", "fixed")
    with transaction(buyer):
        service.create_service(kind="toy", name="site1")
    with transaction(buyer), pytest.raises(PaymentRequired, match="All 1 sites of Fixed"):
        service.create_service(kind="toy", name="site2")
