"""Charges that were taken: what Stripe keeps of them, and the transfer to whoever the money is meant for."""

from __future__ import annotations

from typing import Any

from chom_stripe.sandbox import connect, events, faults, store
from chom_stripe.sandbox.routing import on
from chom_stripe.sandbox.store import Body, Refusal

#: The sandbox's own figure, near to what Stripe asks of a card in many countries: 2.9 % and 30 minor units.
PER_MILLE, FIXED = 29, 30


def fee(amount: int) -> int:
    """What is kept of a charge, half up."""
    return (amount * PER_MILLE + 500) // 1000 + FIXED


def check(data: Body) -> None:
    """May the money of this payment go to that account? Both capabilities must be active, as at Stripe."""
    there, behalf = (data.get("transfer_data") or {}).get("destination"), data.get("on_behalf_of")
    if there and store.get(there, "account")["capabilities"].get("transfers") != "active":
        raise Refusal(400, connect.NO_TRANSFERS, code="insufficient_capabilities_for_transfer")
    if behalf and store.get(behalf, "account")["capabilities"].get("card_payments") != "active":
        words = "The account of on_behalf_of needs to have the capability card_payments enabled."
        raise Refusal(400, words, code="insufficient_capabilities_for_transfer")


def taken(intent: Body, amount: int) -> None:
    """The intent's charge is captured: its fee is booked (not yet, by the fault `unbooked`), its transfer made."""
    charge = store.get(intent["latest_charge"], "charge", lock=True)
    charge = store.save({**charge, "captured": True, "amount_captured": amount})
    if intent.get("transfer_data"):
        charge = store.save({**charge, "transfer": _transfer(intent, charge, amount)["id"]})
    if not faults.take("unbooked"):
        _book(charge)


def shown(intent: Body, expand: Any, prefix: str = "") -> Body:
    """The intent with its charge as far as `expand` names it. Looking books what was not booked yet."""
    wanted = {one.removeprefix(prefix + "latest_charge.") for one in expand or () if "latest_charge." in one}
    if not wanted or not intent["latest_charge"]:
        return intent
    return {**intent, "latest_charge": _expanded(store.get(intent["latest_charge"], "charge"), wanted)}


def settle(intent: Body) -> None:
    """What a later look finds: a fee that was not known with the answer, and Stripe says so by an event."""
    if intent["status"] != "succeeded" or not intent["latest_charge"]:
        return
    charge = store.get(intent["latest_charge"], "charge", lock=True)
    if not charge.get("balance_transaction"):
        events.emit("charge.updated", _book({**charge, "amount_captured": intent["amount_received"]}))


@on("get", "/v1/charges/{reference}")
def read(data: Body, reference: str) -> tuple[int, Body]:
    return 200, _expanded(store.get(reference, "charge"), set(data.get("expand") or ()))


def give_back(intent: Body, refunded: int) -> str | None:
    """Reverse the transfer in proportion: `refunded` is all of the payment that has gone back by now."""
    charge = store.get(intent["latest_charge"], "charge")
    if not charge.get("transfer"):
        raise Refusal(400, "You cannot reverse the transfer of this charge: it has none.")
    of = store.get(charge["transfer"], "transfer", lock=True)
    received = intent["amount_received"]
    amount = (2 * of["amount"] * refunded + received) // (2 * received) - of["amount_reversed"]
    return str(connect.take_back(of, amount)["id"]) if amount > 0 else None


def _expanded(charge: Body, wanted: set[str]) -> Body:
    for name in wanted & {"balance_transaction", "transfer"}:
        if charge.get(name):
            charge = {**charge, name: store.get(charge[name], name)}
    return {"balance_transaction": None, "transfer": None, **charge}


def _book(charge: Body) -> Body:
    amount = charge["amount_captured"]
    kept = fee(amount)
    body = {
        "amount": amount, "fee": kept, "net": amount - kept, "currency": charge["currency"], "type": "charge",
        "source": charge["id"], "status": "pending", "reporting_category": "charge",
        "fee_details": [{"type": "stripe_fee", "amount": kept, "currency": charge["currency"]}],
    }  # fmt: skip
    # named after its charge: whenever it is booked, it is the same one
    made = store.new("txn", "balance_transaction", body, charge["id"], named=charge["id"].partition("_")[2])
    return store.save({**charge, "balance_transaction": made["id"]})


def _transfer(intent: Body, charge: Body, amount: int) -> Body:
    there = intent["transfer_data"]
    most = int(there.get("amount") or amount)
    body = {
        "amount": min(most, amount), "amount_reversed": 0, "currency": intent["currency"],
        "destination": there["destination"], "description": None, "metadata": {}, "reversed": False,
        "source_transaction": charge["id"], "transfer_group": f"group_{intent['id']}",
    }  # fmt: skip
    made = store.new("tr", "transfer", body, there["destination"])
    events.emit("transfer.created", made)
    return made
