"""Checkout sessions that save a card: made by the API, completed by a person on the sandbox's hosted page."""

from __future__ import annotations

import secrets

from chom_stripe.sandbox import customers, events, store
from chom_stripe.sandbox.cards import TestCard
from chom_stripe.sandbox.routing import on
from chom_stripe.sandbox.store import Body, Refusal

PAGE = "/stripe/sandbox/checkout/"
_DAY = 86_400


@on("post", "/v1/checkout/sessions")
def create(data: Body) -> tuple[int, Body]:
    if data.get("mode") != "setup":
        raise Refusal(400, "The sandbox's Checkout saves cards: mode must be setup.")
    if not data.get("success_url"):
        raise Refusal(400, "Missing required param: success_url.", code="parameter_missing")
    customer = store.get(data["customer"], "customer")
    setup = store.new(
        "seti", "setup_intent",
        {"customer": customer["id"], "status": "requires_payment_method", "usage": "off_session",
         "payment_method": None, "metadata": data.get("setup_intent_data", {}).get("metadata", {})},
    )  # fmt: skip
    body = {
        "mode": "setup", "status": "open", "customer": customer["id"], "setup_intent": setup["id"],
        "success_url": data["success_url"], "cancel_url": data.get("cancel_url"),
        "payment_status": "no_payment_required",
        "metadata": data.get("metadata", {}), "expires_at": store.epoch() + _DAY,
    }  # fmt: skip
    made = store.new("cs_test", "checkout.session", body, customer["id"])
    return 200, store.save({**made, "url": PAGE + made["id"] + "?" + secrets.token_urlsafe(6)})


@on("get", "/v1/checkout/sessions/{reference}")
def read(data: Body, reference: str) -> tuple[int, Body]:
    session = store.get(reference, "checkout.session")
    if session["status"] == "open" and session["expires_at"] <= store.epoch():
        session = store.save({**session, "status": "expired", "url": None})
    if "setup_intent" in str(data.get("expand", "")):
        setup = store.get(session["setup_intent"], "setup_intent")
        if setup["payment_method"] and "setup_intent.payment_method" in data["expand"]:
            setup = {**setup, "payment_method": store.get(setup["payment_method"], "payment_method")}
        session = {**session, "setup_intent": setup}
    return 200, session


def complete(reference: str, card: TestCard, month: int, year: int) -> Body:
    """The person entered a card on the hosted page. A refused card raises; a second press changes nothing."""
    session = store.get(reference, "checkout.session", lock=True)
    if session["status"] != "open" or session["expires_at"] <= store.epoch():
        return session
    if card.behaviour == "refused":
        raise customers.declined(card)
    method = customers.keep(card, session["customer"], month, year)
    setup = store.get(session["setup_intent"], "setup_intent", lock=True)
    store.save({**setup, "status": "succeeded", "payment_method": method["id"]})
    session = store.save({**session, "status": "complete", "url": None})
    events.emit("checkout.session.completed", session)
    return session
