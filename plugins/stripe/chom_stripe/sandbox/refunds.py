"""Refunds: never more than was taken."""

from __future__ import annotations

from chom_stripe.sandbox import balances, events, store
from chom_stripe.sandbox.intents import current
from chom_stripe.sandbox.routing import on
from chom_stripe.sandbox.store import Body, Refusal


@on("post", "/v1/refunds")
def create(data: Body) -> tuple[int, Body]:
    intent = current(data.get("payment_intent", ""))
    left = intent["amount_received"] - intent["amount_refunded"]
    amount = store.number(data, "amount") or left
    if intent["status"] != "succeeded" or left <= 0:
        raise Refusal(400, "This charge cannot be refunded (any more).", code="charge_already_refunded")
    if any(one["status"] != "won" for one in store.listed("dispute", "", {}, intent["id"])["data"]):
        raise Refusal(400, "This charge has been charged back.", code="charge_disputed")
    if not 0 < amount <= left:
        raise Refusal(400, f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).")
    gone = intent["amount_refunded"] + amount
    back = balances.give_back(intent, gone) if data.get("reverse_transfer") == "true" else None
    store.save({**intent, "amount_refunded": gone})
    body = {
        "amount": amount, "currency": intent["currency"], "payment_intent": intent["id"],
        "charge": intent["latest_charge"], "metadata": data.get("metadata", {}), "reason": data.get("reason"),
        "status": "succeeded", "transfer_reversal": back,
    }  # fmt: skip
    made = store.new("re", "refund", body, intent["id"])
    events.emit("refund.created", made)
    return 200, made


@on("get", "/v1/refunds/{reference}")
def read(data: Body, reference: str) -> tuple[int, Body]:
    return 200, store.get(reference, "refund")


@on("get", "/v1/refunds")
def listing(data: Body) -> tuple[int, Body]:
    return 200, store.listed("refund", "/v1/refunds", data, data.get("payment_intent", ""))
