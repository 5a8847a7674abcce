"""Customers and their payment methods."""

from __future__ import annotations

from chom_stripe.sandbox import store
from chom_stripe.sandbox.cards import TestCard, by_token
from chom_stripe.sandbox.routing import on
from chom_stripe.sandbox.store import Body, Refusal


@on("post", "/v1/customers")
def create(data: Body) -> tuple[int, Body]:
    body = {
        "email": data.get("email"),
        "name": data.get("name"),
        "metadata": data.get("metadata", {}),
        "balance": 0,
    }
    return 200, store.new("cus", "customer", body)


@on("get", "/v1/customers/{reference}")
def read(data: Body, reference: str) -> tuple[int, Body]:
    return 200, store.get(reference, "customer")


@on("get", "/v1/payment_methods/{reference}")
def read_method(data: Body, reference: str) -> tuple[int, Body]:
    found = store.get(reference, "payment_method")
    if "customer" in data.get("expand", ()) and found["customer"]:
        found = {**found, "customer": store.get(found["customer"], "customer")}
    return 200, found


@on("post", "/v1/payment_methods/{reference}/attach")
def attach(data: Body, reference: str) -> tuple[int, Body]:
    """A test token becomes a card of the customer."""
    customer = store.get(data["customer"], "customer")
    card = by_token(reference)
    if card is None:
        method = store.get(reference, "payment_method")
        return 200, store.save({**method, "customer": customer["id"]})
    if card.behaviour == "refused":
        raise declined(card)
    return 200, keep(card, customer["id"], 12, 2034)


@on("post", "/v1/payment_methods/{reference}/detach")
def detach(data: Body, reference: str) -> tuple[int, Body]:
    return 200, store.save({**store.get(reference, "payment_method", lock=True), "customer": None})


def keep(card: TestCard, customer: str, month: int, year: int) -> Body:
    """A saved card. The number is not in it: `chom_card` names which test card it was."""
    body = {
        "type": "card",
        "customer": customer,
        "chom_card": card.number[-4:] + card.token,
        "metadata": {},
        "card": {"brand": card.brand, "last4": card.number[-4:], "exp_month": month, "exp_year": year,
                 "country": "US", "funding": "credit"},
    }  # fmt: skip
    return store.new("pm", "payment_method", body, customer)


def card_of(method: Body) -> TestCard:
    """Which test card a saved one is."""
    found = by_token(str(method["chom_card"])[4:])
    if found is None:
        raise Refusal(400, "The sandbox does not know this card any more.")
    return found


def declined(card: TestCard) -> Refusal:
    code = card.code if card.code in ("expired_card",) else "card_declined"
    refusal = Refusal(402, "Your card was declined.", kind="card_error", code=code)
    refusal.error["decline_code"] = card.code
    return refusal
