"""Payment intents: charged, held, waiting at the bank, declined, captured, cancelled; holds lapse after a week."""

from __future__ import annotations

from typing import Any

from chom_stripe.sandbox import balances, disputes, events, store
from chom_stripe.sandbox.cards import TestCard
from chom_stripe.sandbox.customers import card_of
from chom_stripe.sandbox.routing import on
from chom_stripe.sandbox.store import Body, Refusal

BANK = "/stripe/sandbox/bank/"
#: How long a hold stands, in seconds.
HOLD = 7 * 86_400
_OPEN = ("requires_payment_method", "requires_action", "requires_confirmation", "requires_capture")


@on("post", "/v1/payment_intents")
def create(data: Body) -> tuple[int, Body]:
    amount = store.number(data, "amount") or 0
    if not 1 <= amount <= 99_999_999:
        raise Refusal(400, "Amount must be at least 1 and no more than 99999999.", code="amount_too_small")
    method = store.get(data["payment_method"], "payment_method")
    if not method.get("customer") or method["customer"] != data.get("customer"):
        raise Refusal(400, "The payment method does not belong to the customer.", code="resource_missing")
    balances.check(data)
    body = {
        "amount": amount, "currency": data["currency"], "customer": data["customer"], "payment_method": method["id"],
        "description": data.get("description"), "metadata": data.get("metadata", {}), "amount_received": 0,
        "amount_capturable": 0, "capture_method": data.get("capture_method", "automatic"), "latest_charge": None,
        "status": "requires_confirmation", "next_action": None, "last_payment_error": None,
        "cancellation_reason": None, "return_url": data.get("return_url"), "amount_refunded": 0,
        "transfer_data": data.get("transfer_data"), "on_behalf_of": data.get("on_behalf_of"),
    }  # fmt: skip
    made = store.new("pi", "payment_intent", body, data["customer"])
    if data.get("confirm") != "true":
        return 200, made
    status, answer = _confirm(made, card_of(method), off_session=data.get("off_session") == "true")
    return status, balances.shown(answer, data.get("expand")) if status == 200 else answer


@on("get", "/v1/payment_intents/{reference}")
def read(data: Body, reference: str) -> tuple[int, Body]:
    intent = current(reference)
    balances.settle(intent)
    return 200, balances.shown(intent, data.get("expand"))


@on("get", "/v1/payment_intents")
def listing(data: Body) -> tuple[int, Body]:
    page = store.listed("payment_intent", "/v1/payment_intents", data, data.get("customer", ""))
    return 200, {**page, "data": [balances.shown(one, data.get("expand"), "data.") for one in page["data"]]}


@on("post", "/v1/payment_intents/{reference}/capture")
def capture(data: Body, reference: str) -> tuple[int, Body]:
    intent = current(reference)
    _must(intent, "requires_capture")
    amount = store.number(data, "amount_to_capture") or intent["amount"]
    if amount > intent["amount"]:
        raise Refusal(400, "You cannot capture more than was authorised.", code="amount_too_large")
    return 200, _taken({**intent, "amount_capturable": 0}, amount)


@on("post", "/v1/payment_intents/{reference}/cancel")
def cancel(data: Body, reference: str) -> tuple[int, Body]:
    intent = current(reference)
    _must(intent, *_OPEN)
    return 200, _cancelled(intent, data.get("cancellation_reason", "requested_by_customer"))


def decide(reference: str, *, approve: bool) -> Body:
    """What the person did on the bank's page. A second click changes nothing."""
    intent = current(reference)
    if intent["status"] != "requires_action":
        return intent
    intent["next_action"] = None
    if approve:
        return _paid(intent)
    return _failed(
        intent, "payment_intent_authentication_failure", "", "The bank could not confirm it was you."
    )


def current(reference: str) -> Body:
    """The intent as it stands now, locked: a hold lapses by itself."""
    intent = store.get(reference, "payment_intent", lock=True)
    if intent["status"] == "requires_capture" and store.epoch() >= intent["created"] + HOLD:
        intent = _cancelled(intent, "automatic")
    return intent


def _confirm(intent: Body, card: TestCard, *, off_session: bool) -> tuple[int, Body]:
    if card.behaviour in ("fails", "refused"):
        return _problem(_failed(intent, "card_declined", card.code, "Your card was declined."))
    if card.behaviour == "second_step":
        if off_session:
            words = "This payment needs the customer's approval."
            return _problem(_failed(intent, "authentication_required", "authentication_required", words))
        url = {"url": BANK + intent["id"], "return_url": intent["return_url"]}
        waiting = {**intent, "status": "requires_action",
                   "next_action": {"type": "redirect_to_url", "redirect_to_url": url}}  # fmt: skip
        events.emit("payment_intent.requires_action", store.save(waiting))
        return 200, waiting
    paid = _paid(intent)
    if card.behaviour == "disputed":
        disputes.open_dispute(paid["id"])
    return 200, paid


def _paid(intent: Body) -> Body:
    if intent["capture_method"] == "manual":
        held = {**intent, "status": "requires_capture", "amount_capturable": intent["amount"],
                "latest_charge": _charge(intent, captured=False)}  # fmt: skip
        events.emit("payment_intent.amount_capturable_updated", store.save(held))
        return held
    return _taken({**intent, "latest_charge": _charge(intent, captured=True)}, intent["amount"])


def _taken(intent: Body, amount: int) -> Body:
    done = store.save({**intent, "status": "succeeded", "amount_received": amount})
    balances.taken(done, amount)
    events.emit("payment_intent.succeeded", done)
    return done


def _charge(intent: Body, *, captured: bool) -> Any:
    body = {"amount": intent["amount"], "currency": intent["currency"], "payment_intent": intent["id"],
            "captured": captured, "amount_captured": 0, "paid": True, "status": "succeeded",
            "metadata": intent["metadata"], "balance_transaction": None, "transfer": None,
            "transfer_data": intent.get("transfer_data"), "on_behalf_of": intent.get("on_behalf_of")}  # fmt: skip
    return store.new("ch", "charge", body, intent["id"])["id"]


def _cancelled(intent: Body, reason: str) -> Body:
    gone = store.save(
        {
            **intent,
            "status": "canceled",
            "cancellation_reason": reason,
            "amount_capturable": 0,
            "next_action": None,
        }
    )
    events.emit("payment_intent.canceled", gone)
    return gone


def _failed(intent: Body, code: str, decline_code: str, message: str) -> Body:
    error = {"type": "card_error", "code": code, "decline_code": decline_code, "message": message}
    failed = store.save({**intent, "status": "requires_payment_method", "last_payment_error": error})
    events.emit("payment_intent.payment_failed", failed)
    return failed


def _problem(intent: Body) -> tuple[int, Body]:
    return 402, {"error": {**intent["last_payment_error"], "payment_intent": intent}}


def _must(intent: Body, *statuses: str) -> None:
    if intent["status"] not in statuses:
        raise Refusal(
            400, f"This PaymentIntent's status is {intent['status']}.", code="payment_intent_unexpected_state"
        )
