"""What a tester would send to the webhook: too large, oddly signed, about others, too early. Nothing half-done."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from chom_stripe import charges
from chom_stripe.keys import Keys, api
from chom_stripe.models import Dispute, SandboxObject, WebhookEvent
from chom_stripe.sandbox import disputes, events, faults
from sqlalchemy import select, update
from test_money import act, compare, enter_card, intents, payments, top_up

from chom_sdk import Money, billing, clock, settings, transaction
from chom_sdk.testing import Organisation, World, inspection
from chom_sdk.testing.sales import books

URL = "/api/v1/stripe/webhook"


@pytest.fixture
def shop(chom: World, organisation: Organisation) -> Organisation:
    """A card on file, and Stripe tells nothing by itself."""
    organisation.enable("stripe")
    chom.run_jobs()
    enter_card(organisation)
    chom.run_jobs()
    with transaction():
        faults.arm("silent", 999)
    return organisation


def signed(body: bytes, *, age: int = 0, key: str | None = None) -> str:
    """The header that Stripe would send with `body`, `age` seconds ago."""
    if key is None:
        with transaction():
            key = events.secret()
    stamp = int(clock.machine().timestamp()) - age
    digest = hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def post(chom: World, body: bytes, signature: str | None = None, **how: Any) -> Any:
    header = {"Stripe-Signature": signed(body) if signature is None else signature}
    return chom.app.test_client().post(URL, data=body, headers=header, **how)


def tell(chom: World, kind: str, reference: str, **metadata: str) -> WebhookEvent:
    """Deliver an event about an object, saying `metadata` of it, and hear it. What is known of it then."""
    name = f"evt_{uuid4().hex}"
    said = {"id": reference, "object": kind.split(".")[0], "metadata": metadata}
    body = {"id": name, "type": kind, "created": int(clock.machine().timestamp()), "data": {"object": said}}
    assert post(chom, json.dumps(body).encode()).status_code == 200
    chom.run_jobs()
    with transaction() as here:
        return here.scalars(select(WebhookEvent).where(WebhookEvent.event_id == name)).one()


def heard() -> list[WebhookEvent]:
    """The events about payments: not those of how the card came."""
    with transaction() as here:
        every = here.scalars(select(WebhookEvent).order_by(WebhookEvent.id)).all()
        return [one for one in every if not one.type.startswith("checkout.")]


def rewrite(reference: str, **changes: Any) -> None:
    """Change an object at Stripe."""
    with transaction() as here:
        row = SandboxObject.reference == reference
        body = here.scalars(select(SandboxObject.body).where(row)).one()
        here.execute(update(SandboxObject).where(row).values(body={**body, **changes}))


def lost_top_up(shop: Organisation) -> str:
    """Charged at Stripe, its answer lost. The payment intent."""
    before = {one["id"] for one in intents()}
    with transaction():
        faults.arm("lost", 3)
    assert top_up(shop, key=f"{len(before)}") == "unknown"
    return next(str(one["id"]) for one in intents() if one["id"] not in before)


def credit(of: Organisation) -> Money:
    with of.acting():
        return billing.account_credit().account


EVENT = (
    b'{"id": "evt_1", "type": "payment_intent.succeeded", "created": 1, "data": {"object": {"id": "pi_1"}}}'
)


@pytest.mark.parametrize("counted", [True, False])
def test_two_megabytes_are_refused(chom: World, shop: Organisation, counted: bool) -> None:
    """Also where nobody says beforehand how long they are."""
    body = EVENT[:-1] + b" " * 2_000_000 + b"}"
    if counted:
        answer = post(chom, body)
    else:
        environ: dict[str, Any] = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        header = {"Stripe-Signature": signed(body), "Transfer-Encoding": "chunked"}
        answer = chom.app.test_client().post(
            URL, input_stream=io.BytesIO(body), headers=header, environ_overrides=environ
        )
    assert answer.status_code == (413 if counted else 403)  # cut off there, it is not what was signed
    assert answer.mimetype == "application/problem+json"
    assert heard() == []


def test_what_the_body_is_called_changes_nothing(chom: World, shop: Organisation) -> None:
    """Its signature says what it is."""
    kinds = ("text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data")
    assert [post(chom, EVENT, "t=1,v1=0", content_type=kind).status_code for kind in kinds] == [403] * 4
    assert [post(chom, EVENT, content_type=kind).status_code for kind in kinds] == [200] * 4
    assert [one.event_id for one in heard()] == ["evt_1"]


def test_odd_signatures_are_refused(chom: World, shop: Organisation) -> None:
    now = int(clock.machine().timestamp())
    odd = ("x", ",,,,", "t=", "t=1", "v1=0", "t=now,v1=0", f"t={now},v1=", f"t={now},v0=0", f"t={now},v1=\xe9",
           "t=-1,v1=0", f"t={'9' * 5000},v1=0", "\x00")  # fmt: skip
    for header in odd:
        environ = {"HTTP_STRIPE_SIGNATURE": header}
        answer = chom.app.test_client().post(URL, data=EVENT, environ_overrides=environ)
        assert (header, answer.status_code) == (header, 403)
    assert heard() == []


def test_ten_minutes_old_is_a_replay(chom: World, shop: Organisation) -> None:
    assert post(chom, EVENT, signed(EVENT, age=600)).status_code == 403
    assert heard() == []
    assert post(chom, EVENT, signed(EVENT, age=200)).status_code == 200


def test_without_a_signing_secret_nothing_is_believed(chom: World, shop: Organisation) -> None:
    inspection.enable_for_staff(chom, "stripe")
    with inspection.owner_of_settings(shop, "stripe"):
        settings.write("stripe", {"secret_key": "sk_test_" + "1" * 24, "webhook_secret": ""})
    for key in ("", " ", "None"):
        assert post(chom, EVENT, signed(EVENT, key=key)).status_code == 403
    assert heard() == []


def test_an_event_of_an_unknown_kind_has_no_job(chom: World, shop: Organisation) -> None:
    event = tell(chom, "invoice.finalized", "in_1", chom_tenant=str(shop.id))
    assert (event.status, event.note) == ("ignored", "")


def test_an_event_of_an_unknown_object_does_nothing(chom: World, shop: Organisation) -> None:
    kinds = ("payment_intent.succeeded", "charge.dispute.created", "refund.created", "charge.refunded",
             "account.updated", "checkout.session.completed", "payment_method.updated")  # fmt: skip
    for kind in kinds:
        event = tell(chom, kind, "xx_nothing", chom_tenant=str(shop.id))
        assert (kind, event.status, event.note) == (kind, "ignored", "Stripe has it no more")
    assert books(chom) == []


def test_who_an_event_names_is_not_believed(chom: World, shop: Organisation) -> None:
    """It says one organisation, Stripe says another: the payment is Stripe's word's."""
    other = chom.organisation("Other")
    event = tell(chom, "payment_intent.succeeded", lost_top_up(shop), chom_tenant=str(other.id))
    assert (event.status, credit(shop), credit(other)) == ("done", Money(2500, "USD"), Money(0, "USD"))


@pytest.mark.parametrize("whose", [str(uuid4()), "nobody", ""])
def test_what_another_house_made_at_the_same_stripe_is_left_alone(
    chom: World, shop: Organisation, whose: str
) -> None:
    intent = lost_top_up(shop)
    rewrite(intent, metadata={"chom_tenant": whose, "chom_key": "top-up/1"})
    event = tell(chom, "payment_intent.succeeded", intent, chom_tenant=whose)
    assert event.status == "ignored"
    assert event.note.startswith("not made by")
    assert [one.status for one in payments(shop)] == ["created"]


def test_a_refund_in_stripes_dashboard_is_listed_for_a_person(chom: World, shop: Organisation) -> None:
    top_up(shop)
    made = api(Keys()).refunds.create({"payment_intent": intents()[0]["id"], "amount": 100})
    event = tell(chom, "refund.created", made.id)
    assert (event.status, event.note) == ("ignored", "not made by CHOM")
    assert (credit(shop), books(chom)) == (Money(2500, "USD"), [])
    assert ("refunded", "") in compare(chom)


def give_back(chom: World, shop: Organisation, cents: int, status: int = 303) -> None:
    """Staff refund a top-up, and Stripe is asked. `status`: of the answer to their form."""
    payment = payments(shop)[0]
    page, client = f"/staff/organisations/{shop.id}/money/payments/{payment.id}/refund", chom.staff_client
    form = {
        "amount": f"{cents / 100:.2f}",
        "reason": "asked for",
        "confirm": "true",
        "csrf_token": chom.csrf(client),
    }
    answer = client.post(page, data=form)
    assert answer.status_code == status, answer.text
    chom.run_jobs()


def test_a_partial_refund_and_then_a_dispute(chom: World, shop: Organisation) -> None:
    top_up(shop)
    give_back(chom, shop, 700)
    assert credit(shop) == Money(1800, "USD")
    made = act(disputes.open_dispute, intents()[0]["id"])
    assert tell(chom, "charge.dispute.created", made["id"]).status == "done"
    give_back(chom, shop, 100, 422)  # nothing can be given back while a bank has it
    assert (credit(shop), books(chom)) == (Money(0, "USD"), [])
    act(disputes.close_dispute, made["id"], won=True)
    for kind in ("charge.dispute.closed", "charge.dispute.created", "charge.dispute.closed"):
        assert tell(chom, kind, made["id"]).status == "done"
    assert (credit(shop), books(chom)) == (Money(1800, "USD"), [])


def test_a_dispute_is_heard_before_its_payment(chom: World, shop: Organisation) -> None:
    """The payment is looked at first, so that the credit it brings is held."""
    made = act(disputes.open_dispute, lost_top_up(shop))
    assert tell(chom, "charge.dispute.created", made["id"]).status == "done"
    assert [one.status for one in payments(shop)] == ["succeeded"]
    assert (credit(shop), books(chom)) == (Money(0, "USD"), [])


@pytest.mark.parametrize("changes", [{"amount": 2600}, {"currency": "eur"}])
def test_a_dispute_that_does_not_fit_its_payment_is_for_a_person(
    chom: World, shop: Organisation, changes: dict[str, Any]
) -> None:
    """A bank may count in its own currency: seen, listed, and nothing posted."""
    top_up(shop)
    made = act(disputes.open_dispute, intents()[0]["id"])
    rewrite(made["id"], **changes)
    event = tell(chom, "charge.dispute.created", made["id"])
    assert event.status == "done"
    assert "no more than was paid" in event.note
    with transaction() as here:
        assert [one.reference for one in here.scalars(select(Dispute))] == [made["id"]]
    assert books(chom) == []


def test_the_webhook_is_faster_than_our_own_answer(
    chom: World, shop: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heard and settled while the call that charged has not come back: one payment, one credit."""
    charge: Callable[..., Any] = charges.pay

    def slow(*args: Any, **how: Any) -> Any:
        answer = charge(*args, **how)
        monkeypatch.setattr(charges, "pay", charge)
        with ThreadPoolExecutor(1) as pool:  # another process, as far as the unit of work knows
            event = pool.submit(tell, chom, "payment_intent.succeeded", intents()[-1]["id"]).result()
        assert event.status == "done"
        return answer

    monkeypatch.setattr(charges, "pay", slow)
    assert top_up(shop) == "succeeded"
    chom.run_jobs()
    assert [one.status for one in payments(shop)] == ["succeeded"]
    assert (len(intents()), credit(shop), books(chom)) == (1, Money(2500, "USD"), [])
