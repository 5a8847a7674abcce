"""Disputes: opened by a test card or by staff on the sandbox's page, and decided there."""

from __future__ import annotations

from chom_stripe.sandbox import events, store
from chom_stripe.sandbox.routing import on
from chom_stripe.sandbox.store import Body


@on("get", "/v1/disputes/{reference}")
def read(data: Body, reference: str) -> tuple[int, Body]:
    found = store.get(reference, "dispute")
    if "payment_intent" in data.get("expand", ()):
        found = {**found, "payment_intent": store.get(found["payment_intent"], "payment_intent")}
    return 200, found


@on("get", "/v1/disputes")
def listing(data: Body) -> tuple[int, Body]:
    return 200, store.listed("dispute", "/v1/disputes", data, data.get("payment_intent", ""))


def open_dispute(intent_id: str, reason: str = "fraudulent") -> Body:
    """The holder of the card asks the bank for the money back."""
    intent = store.get(intent_id, "payment_intent")
    body = {
        "amount": intent["amount_received"], "currency": intent["currency"], "payment_intent": intent_id,
        "charge": intent["latest_charge"], "reason": reason, "status": "needs_response", "metadata": {},
        "evidence_details": {"due_by": store.epoch() + 14 * 86_400, "has_evidence": False, "submission_count": 0,
                             "past_due": False},
    }  # fmt: skip
    made = store.new("du", "dispute", body, intent_id)
    events.emit("charge.dispute.created", made)
    return made


def close_dispute(reference: str, *, won: bool) -> Body:
    """The bank decides."""
    dispute = store.get(reference, "dispute", lock=True)
    if dispute["status"] in ("won", "lost"):
        return dispute
    done = store.save({**dispute, "status": "won" if won else "lost"})
    events.emit("charge.dispute.closed", done)
    return done
