"""Through the core: a card is entered, a plan renews, money is refunded, disputed, and compared with Stripe."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from chom_stripe.keys import Keys, api
from chom_stripe.models import Difference, Dispute, SandboxObject, WebhookEvent
from chom_stripe.sandbox import disputes, faults, store
from sqlalchemy import select, update
from stripe_world import pay

from chom_sdk import Money, Unavailable, billing, clock, transaction
from chom_sdk.billing import GatewayPayment, gateway_payments
from chom_sdk.testing import Organisation, World, inspection
from chom_sdk.work import enqueue


@pytest.fixture
def shop(chom: World, organisation: Organisation) -> Organisation:
    organisation.enable("stripe")
    chom.run_jobs()
    return organisation


def enter_card(shop: Organisation, number: str = "4242424242424242", page: str = "/billing/methods") -> str:
    """What a person does: press, be led to Stripe's page, choose a card, come back. The page that is shown then."""
    client = shop.client()
    there = shop.post(page).location
    assert there.startswith("/stripe/sandbox/checkout/")
    assert "4242 4242 4242 4242" in client.get(there).text
    back = shop.post(there.split("?")[0], {"test_card": number})
    assert back.status_code == 303, back.text[:500]
    assert "session_id=cs_test_" in back.location
    return str(client.get(back.location, follow_redirects=True).text)


def top_up(shop: Organisation, key: str = "1", cents: int = 2500) -> str:
    """Money paid in with the card on file. Its status; "unknown" where Stripe did not answer."""
    with shop.acting():
        try:
            return billing.top_up(Money(cents, "USD"), key).status
        except Unavailable:
            return "unknown"


def payments(shop: Organisation) -> list[GatewayPayment]:
    with shop.acting():
        span = timedelta(days=400)
        return [
            one
            for one in gateway_payments("stripe", clock.now() - span, clock.now() + span)
            if one.tenant_id == shop.id
        ]


def intents() -> list[dict[str, Any]]:
    with transaction() as here:
        rows = select(SandboxObject.body).where(SandboxObject.kind == "payment_intent")
        return list(here.scalars(rows.order_by(SandboxObject.id)))


def act(change: Any, *args: Any, **how: Any) -> Any:
    token = store.at.set(clock.now())
    with transaction():
        done = change(*args, **how)
    store.at.reset(token)
    return done


def compare(chom: World) -> list[tuple[str, str]]:
    """Run the nightly comparison, and what it lists as still different."""
    chom.run_jobs()
    with transaction():
        enqueue("stripe.reconcile", {}, plugin="stripe")
    chom.run_jobs()
    with transaction() as here:
        rows = select(Difference).where(Difference.resolved_at.is_(None)).order_by(Difference.kind)
        return [(one.kind, one.repair) for one in here.scalars(rows)]


def arm(name: str, times: int = 1) -> None:
    with transaction():
        faults.arm(name, times)


def test_a_card_is_entered_without_javascript_and_pays(chom: World, shop: Organisation) -> None:
    assert "4242" in enter_card(shop)
    assert top_up(shop) == top_up(shop) == "succeeded"
    chom.run_jobs()
    assert [(p.status, p.amount) for p in payments(shop)] == [("succeeded", Money(2500, "USD"))]
    assert [i["status"] for i in intents()] == ["succeeded"]
    with transaction() as here:
        assert {e.status for e in here.scalars(select(WebhookEvent))} == {"done"}


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the checkout's form, and the billing details somebody types."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return {**hidden, "name": "Northlight", "email": "mara@chom.test", "country": "US", "address": "1 Pier"}


def test_a_plan_is_bought_with_a_card_entered_on_the_way(chom: World, shop: Organisation) -> None:
    """Pay, enter the card at Stripe, come back, and press Pay: one charge, in the end."""
    form = fields_of(shop.client().get("/checkout/pro?period=monthly").text)
    there = shop.post("/checkout/pro", form).location
    assert there.startswith("/stripe/sandbox/checkout/")
    assert intents() == []
    back = shop.post(there.split("?")[0], {"test_card": "4242424242424242"}).location
    page = shop.client().get(back, follow_redirects=True).text
    assert "press Pay" in page
    chosen = re.search(r'name="method" value="([0-9a-f-]{36})" checked', page)
    assert chosen is not None, page[page.find("How you pay") :][:1500]
    done = shop.post("/checkout/pro", {**fields_of(page), "method": chosen[1]})
    assert done.status_code == 303, done.text[:800]
    chom.run_jobs()
    assert [(p.status, p.amount.amount) for p in payments(shop)] == [("succeeded", intents()[0]["amount"])]
    assert "Paid" in shop.client().get("/billing/invoices").text


def test_a_person_who_turns_back_is_told_so(shop: Organisation) -> None:
    answer = shop.client().get("/billing/methods/entered?entered=no")
    assert answer.status_code == 422
    assert "No card was entered." in answer.text


def test_a_refused_card_is_said_on_the_card_page(shop: Organisation) -> None:
    there = shop.post("/billing/methods").location
    answer = shop.post(there.split("?")[0], {"test_card": "4000000000000002"})
    assert (answer.status_code, "Your card was declined." in answer.text) == (402, True)
    assert shop.post(there.split("?")[0], {"card_number": "4111111111111111"}).status_code == 422


def test_a_declined_charge_is_told_in_words(chom: World, shop: Organisation) -> None:
    enter_card(shop, "4000000000000341")
    assert top_up(shop) == "declined"
    chom.run_jobs()
    assert [p.status for p in payments(shop)] == ["declined"]


def test_a_lost_answer_is_settled_by_the_webhook(chom: World, shop: Organisation) -> None:
    enter_card(shop)
    arm("lost", 3)
    assert top_up(shop) == "unknown"
    assert [p.status for p in payments(shop)] == ["created"]
    chom.run_jobs()
    assert [p.status for p in payments(shop)] == ["succeeded"]
    assert len(intents()) == 1


def test_a_dispute_takes_the_money_and_its_end_decides(chom: World, shop: Organisation) -> None:
    enter_card(shop)
    top_up(shop)
    made = act(disputes.open_dispute, intents()[0]["id"])
    chom.run_jobs()
    ledger = chom.staff_client.get("/staff/ledger").text
    assert "A bank took the money back" in ledger
    act(disputes.close_dispute, made["id"], won=False)
    chom.run_jobs()
    with transaction() as here:
        assert [(one.status, one.amount) for one in here.scalars(select(Dispute))] == [("lost", 2500)]
    assert "The dispute was lost" in chom.staff_client.get("/staff/ledger").text
    inspection.enable_for_staff(chom, "stripe")
    assert made["id"] in chom.staff_client.get("/stripe/").text


def test_a_removed_card_is_forgotten_by_stripe_too(chom: World, shop: Organisation) -> None:
    page = enter_card(shop)
    found = re.search(r"/billing/methods/[0-9a-f-]+/remove", page)
    assert found is not None
    shop.post(found[0])
    chom.run_jobs()
    with transaction() as here:
        row = select(SandboxObject.body).where(SandboxObject.kind == "payment_method")
        assert [one["customer"] for one in here.scalars(row)] == [None]


def test_books_that_agree_have_no_difference(chom: World, shop: Organisation) -> None:
    enter_card(shop)
    top_up(shop)
    assert compare(chom) == []


def test_what_moves_no_money_is_repaired(chom: World, shop: Organisation) -> None:
    """The answer was lost, and so was the webhook: the comparison finds both, and the next one finds nothing."""
    enter_card(shop)
    chom.run_jobs()
    arm("lost", 3)
    arm("silent", 9)
    assert top_up(shop) == "unknown"
    assert compare(chom) == [("missed_event", "heard now"), ("open_here", "asked Stripe again")]
    assert [p.status for p in payments(shop)] == ["succeeded"]
    assert compare(chom) == []
    assert len(intents()) == 1


@pytest.mark.parametrize("kind", ["unknown_here", "missing_there", "amount", "status", "refunded"])
def test_what_moves_money_is_listed_for_a_person(chom: World, shop: Organisation, kind: str) -> None:
    enter_card(shop)
    top_up(shop)
    chom.run_jobs()
    intent = intents()[0]
    if kind == "unknown_here":
        arm("silent", 9)
        pay(shop.id)
    elif kind == "refunded":
        api(Keys()).refunds.create({"payment_intent": intent["id"], "amount": 100})
    else:
        changes = {"missing_there": {"metadata": {}, "status": "canceled"}, "amount": {"amount": 2600},
                   "status": {"status": "canceled"}}[kind]  # fmt: skip
        with transaction() as here:
            row = update(SandboxObject).where(SandboxObject.reference == intent["id"])
            here.execute(row.values(body={**intent, **changes}))
    assert (kind, "") in compare(chom)
    assert [p.status for p in payments(shop)] == ["succeeded"]
    inspection.enable_for_staff(chom, "stripe")
    assert kind.replace("_", " ") in chom.staff_client.get("/stripe/differences").text
