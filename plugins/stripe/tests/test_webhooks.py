"""Webhooks: only Stripe's are believed, each counts once, in any order; and what follows from them."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from uuid import UUID

import pytest
from chom_stripe import webhooks
from chom_stripe.keys import Keys
from chom_stripe.models import ConnectedAccount, Dispute, SandboxObject, WebhookEvent
from chom_stripe.payouts import StripePayouts
from chom_stripe.sandbox import disputes, events, faults, store
from sqlalchemy import select
from stripe_world import BACK, enter, pay, session_reference

from chom_sdk import Refused, clock, transaction
from chom_sdk.billing import Onboarding, Payee
from chom_sdk.testing import Organisation, World

URL = "/api/v1/stripe/webhook"


@pytest.fixture
def buyer(organisation: Organisation) -> UUID:
    organisation.enable("stripe")
    return organisation.id


def arm(name: str, times: int = 1) -> None:
    with transaction():
        faults.arm(name, times)


def log() -> list[WebhookEvent]:
    with transaction() as here:
        return list(here.scalars(select(WebhookEvent).order_by(WebhookEvent.id)))


def event_ids() -> list[str]:
    with transaction() as here:
        rows = select(SandboxObject.reference).where(SandboxObject.kind == "event").order_by(SandboxObject.id)
        return list(here.scalars(rows))


def delivery(event_id: str, *, forged: bool = False) -> tuple[bytes, str]:
    with transaction():
        return events.signed(event_id, forged=forged)


def post(chom: World, body: bytes, signature: str) -> Any:
    return chom.app.test_client().post(URL, data=body, headers={"Stripe-Signature": signature})


def act(change: Any, *args: Any, **how: Any) -> Any:
    token = store.at.set(clock.now())
    with transaction():
        done = change(*args, **how)
    store.at.reset(token)
    return done


def test_the_endpoint_takes_a_signed_event_once(chom: World, buyer: UUID) -> None:
    arm("silent", 9)
    pay(buyer)
    body, signature = delivery(event_ids()[0])
    assert [post(chom, body, signature).json["received"] for _ in range(3)] == ["new", "again", "again"]
    assert [e.status for e in log()] == ["received"]
    chom.run_jobs()
    assert [e.status for e in log()] == [
        "ignored"
    ]  # no payment of CHOM's core: the test asked the gateway itself


@pytest.mark.parametrize("how", ["forged", "no header", "other body", "old", "empty secret", "not utf-8"])
def test_what_stripe_did_not_sign_is_refused(chom: World, buyer: UUID, how: str) -> None:
    arm("silent", 9)
    pay(buyer)
    body, signature = delivery(event_ids()[0], forged=how == "forged")
    if how == "no header":
        signature = ""
    if how == "other body":
        body = body.replace(b"900", b"901")
    if how == "not utf-8":
        body += b"\xff"
    if how in ("old", "empty secret"):
        with transaction():
            key = "" if how == "empty secret" else events.secret()
        stamp = int(clock.machine().timestamp()) - (3600 if how == "old" else 0)
        digest = hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        signature = f"t={stamp},v1={digest}"
    assert post(chom, body, signature).status_code == 403
    assert log() == []


def test_an_empty_secret_never_verifies() -> None:
    body = b"{}"
    stamp = int(clock.machine().timestamp())
    digest = hmac.new(b"", f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    with pytest.raises(Refused):
        webhooks.verify(body, f"t={stamp},v1={digest}", "")


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"id": 1}', b"no json", b'{"id": "evt_1", "type": "x", "data": {"object": 3}}']
)
def test_signed_nonsense_is_refused(chom: World, buyer: UUID, body: bytes) -> None:
    with transaction():
        key = events.secret()
    stamp = int(clock.machine().timestamp())
    digest = hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert post(chom, body, f"t={stamp},v1={digest}").status_code == 422


def test_a_thin_event_names_its_object(chom: World, buyer: UUID) -> None:
    arm("silent", 9)
    paid = pay(buyer)
    thin = {
        "id": "evt_thin", "object": "v2.core.event", "type": "v1.payment_intent.succeeded",
        "created": "2026-11-20T10:00:00Z", "related_object": {"id": paid.reference, "type": "payment_intent"},
    }  # fmt: skip
    body = json.dumps(thin).encode()
    with transaction():
        key = events.secret()
    stamp = int(clock.machine().timestamp())
    digest = hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert post(chom, body, f"t={stamp},v1={digest}").json == {"received": "new"}
    assert (log()[0].type, log()[0].object_id) == ("payment_intent.succeeded", paid.reference)
    chom.run_jobs()
    assert log()[0].status == "ignored"


def test_a_card_is_kept_where_the_browser_never_came_back(
    chom: World, organisation: Organisation, buyer: UUID
) -> None:
    enter(session_reference(buyer))
    chom.run_jobs()
    assert [(e.type, e.status, e.note) for e in log()] == [
        ("checkout.session.completed", "done", "card kept")
    ]
    assert "4242" in organisation.client().get("/billing/methods").text


def test_a_payee_becomes_ready(chom: World, buyer: UUID) -> None:
    from chom_stripe.sandbox import connect

    payouts, payee = StripePayouts(Keys()), Payee("affiliate", buyer)
    reference = payouts.onboard(Onboarding(payee, BACK)).rsplit("/", 1)[1]
    act(connect.onboarded, reference)
    chom.run_jobs()
    with transaction(buyer) as here:
        row = here.scalars(select(ConnectedAccount)).one()
    assert (row.ready, row.needs) == (True, [])


def test_late_doubled_shuffled_and_forged_are_all_one(chom: World, buyer: UUID) -> None:
    for name in faults.WEBHOOKS[:-1]:
        arm(name, 50)
    arm("late", 0)
    for _ in range(5):
        pay(buyer)
    arm("late", 2)
    pay(buyer)
    chom.run_jobs()
    assert len({e.event_id for e in log()}) == len(log()) <= 6


def test_a_dispute_without_a_payment_of_ours_posts_nothing(chom: World, buyer: UUID) -> None:
    paid = pay(buyer)
    made = act(disputes.open_dispute, paid.reference)
    act(disputes.close_dispute, made["id"], won=False)
    chom.run_jobs()
    with transaction() as here:
        assert list(here.scalars(select(Dispute))) == []
    assert {e.status for e in log()} == {"ignored"}
