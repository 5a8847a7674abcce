"""Disputes: opened by a test card or by staff on the sandbox's page, and decided there.

The money goes with the dispute, and a fee beside it; both come back when it is won, as in Stripe's own test mode. So do
the magic words of evidence (`uncategorized_text`) that decide it at once.
"""

from __future__ import annotations

from chom_stripe.sandbox import events, faults, store
from chom_stripe.sandbox.routing import on
from chom_stripe.sandbox.store import Body, Refusal

#: What is kept of each dispute, in minor units: the sandbox's own figure, near to what Stripe asks in many countries.
FEE = 1500
#: Characters of evidence that are taken in all, and Stripe's own words that decide a dispute in test mode.
MOST, MAGIC = 150_000, {"winning_evidence": True, "losing_evidence": False}


@on("get", "/v1/disputes/{reference}")
def read(data: Body, reference: str) -> tuple[int, Body]:
    """Looking books what was not booked yet (the fault `unbooked`), and Stripe says so by an event."""
    found = store.get(reference, "dispute", lock=True)
    inquiry = found["status"].startswith("warning_")
    if not found["balance_transactions"] and not inquiry and not faults.take("unbooked"):
        found = _withdrawn(found)
    return 200, _with_intent(found) if "payment_intent" in data.get("expand", ()) else found


@on("get", "/v1/disputes")
def listing(data: Body) -> tuple[int, Body]:
    page = store.listed("dispute", "/v1/disputes", data, data.get("payment_intent", ""))
    if "data.payment_intent" in data.get("expand", ()):
        page["data"] = [_with_intent(one) for one in page["data"]]
    return 200, page


@on("post", "/v1/disputes/{reference}")
def update(data: Body, reference: str) -> tuple[int, Body]:
    """Evidence is kept, and submitted once unless `submit` is false."""
    found = _answerable(reference)
    given = {name: text for name, text in (data.get("evidence") or {}).items() if text}
    details = {**found["evidence_details"], "has_evidence": True}
    kept = {**found, "evidence": {**found["evidence"], **given}, "evidence_details": details,
            "metadata": {**found["metadata"], **(data.get("metadata") or {})}}  # fmt: skip
    if sum(len(text) for text in kept["evidence"].values()) > MOST:
        raise Refusal(400, f"The evidence is limited to {MOST} characters.")
    if data.get("submit", "true") == "false":
        return 200, store.save(kept)
    details["submission_count"] += 1
    details["past_due"] = store.epoch() > details["due_by"]
    events.emit("charge.dispute.updated", store.save({**kept, "status": "under_review"}))
    verdict = kept["evidence"].get("uncategorized_text")
    if verdict in MAGIC:
        close_dispute(reference, won=MAGIC[verdict])
    return 200, store.get(reference, "dispute")


@on("post", "/v1/disputes/{reference}/close")
def close(data: Body, reference: str) -> tuple[int, Body]:
    """It is given up."""
    _answerable(reference)
    return 200, close_dispute(reference, won=False)


def _answerable(reference: str) -> Body:
    found = store.get(reference, "dispute", lock=True)
    if found["status"] != "needs_response":
        raise Refusal(400, f"This dispute is {found['status']}: it takes no answer any more.")
    return found


def _with_intent(dispute: Body) -> Body:
    return {**dispute, "payment_intent": store.get(dispute["payment_intent"], "payment_intent")}


def open_dispute(intent_id: str, reason: str = "fraudulent") -> Body:
    """The holder of the card asks the bank for the money back."""
    intent = store.get(intent_id, "payment_intent")
    body = {
        "amount": intent["amount_received"], "currency": intent["currency"], "payment_intent": intent_id,
        "charge": intent["latest_charge"], "reason": reason, "status": "needs_response", "metadata": {},
        "evidence_details": {"due_by": store.epoch() + 14 * 86_400, "has_evidence": False, "submission_count": 0,
                             "past_due": False},
        "evidence": {}, "balance_transactions": [],
    }  # fmt: skip
    made = store.new("du", "dispute", body, intent_id)
    events.emit("charge.dispute.created", made)
    return made if faults.take("unbooked") else _withdrawn(made)


def close_dispute(reference: str, *, won: bool) -> Body:
    """The bank decides."""
    dispute = store.get(reference, "dispute", lock=True)
    if dispute["status"] in ("won", "lost"):
        return dispute
    done = store.save({**dispute, "status": "won" if won else "lost"})
    events.emit("charge.dispute.closed", done)
    return _reinstated(done) if won else done


def _withdrawn(dispute: Body) -> Body:
    done = _booked(dispute, -dispute["amount"], FEE, "out")
    events.emit("charge.dispute.funds_withdrawn", done)
    return done


def _reinstated(dispute: Body) -> Body:
    first = dispute if dispute["balance_transactions"] else _withdrawn(dispute)
    done = _booked(first, dispute["amount"], -FEE, "back")
    events.emit("charge.dispute.funds_reinstated", done)
    return done


def _booked(dispute: Body, amount: int, fee: int, way: str) -> Body:
    """The dispute with one more movement of the balance; named after it: whenever it is booked, it is the same one."""
    kept = [
        {"type": "stripe_fee", "amount": fee, "currency": dispute["currency"], "description": "Dispute fee"}
    ]
    body = {
        "amount": amount, "fee": fee, "net": amount - fee, "currency": dispute["currency"], "type": "adjustment",
        "source": dispute["id"], "status": "available", "reporting_category": "dispute", "fee_details": kept,
    }  # fmt: skip
    name = f"{dispute['id'].partition('_')[2]}{way}"
    made = store.new("txn", "balance_transaction", body, dispute["id"], named=name)
    return store.save({**dispute, "balance_transactions": [*dispute["balance_transactions"], made]})
