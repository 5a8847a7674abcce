"""Connected accounts, their onboarding, transfers and reversals."""

from __future__ import annotations

from chom_stripe.sandbox import events, store
from chom_stripe.sandbox.routing import on
from chom_stripe.sandbox.store import Body, Refusal

PAGE = "/stripe/sandbox/onboarding/"
_NEEDS = ["external_account", "tos_acceptance.date"]


@on("post", "/v1/accounts")
def create(data: Body) -> tuple[int, Body]:
    body = {
        "email": data.get("email"), "country": data.get("country") or "US", "metadata": data.get("metadata", {}),
        "capabilities": {"transfers": "inactive"}, "payouts_enabled": False, "details_submitted": False,
        "requirements": {"currently_due": _NEEDS, "disabled_reason": "requirements.past_due"},
    }  # fmt: skip
    return 200, store.new("acct", "account", body)


@on("get", "/v1/accounts/{reference}")
def read(data: Body, reference: str) -> tuple[int, Body]:
    return 200, store.get(reference, "account")


@on("post", "/v1/account_links")
def link(data: Body) -> tuple[int, Body]:
    account = store.get(data["account"], "account")
    if not data.get("return_url") or not data.get("refresh_url"):
        raise Refusal(400, "Missing required param: return_url or refresh_url.", code="parameter_missing")
    store.save({**account, "chom_return_url": data["return_url"]})
    body = {"object": "account_link", "created": store.epoch(), "expires_at": store.epoch() + 300}
    return 200, {**body, "url": PAGE + account["id"]}


@on("post", "/v1/transfers")
def transfer(data: Body) -> tuple[int, Body]:
    account = store.get(data["destination"], "account")
    if account["capabilities"]["transfers"] != "active":
        words = "Your destination account needs to have at least one of the following capabilities enabled: transfers"
        raise Refusal(400, words, code="insufficient_capabilities_for_transfer")
    amount = store.number(data, "amount") or 0
    if amount < 1:
        raise Refusal(400, "Invalid positive integer: amount", code="parameter_invalid_integer")
    body = {
        "amount": amount, "amount_reversed": 0, "currency": data["currency"], "destination": account["id"],
        "description": data.get("description"), "metadata": data.get("metadata", {}), "reversed": False,
        "transfer_group": data.get("transfer_group"),
    }  # fmt: skip
    made = store.new("tr", "transfer", body, account["id"])
    events.emit("transfer.created", made)
    return 200, made


@on("get", "/v1/transfers/{reference}")
def read_transfer(data: Body, reference: str) -> tuple[int, Body]:
    return 200, store.get(reference, "transfer")


@on("get", "/v1/transfers")
def listing(data: Body) -> tuple[int, Body]:
    return 200, store.listed("transfer", "/v1/transfers", data, data.get("destination", ""))


@on("post", "/v1/transfers/{reference}/reversals")
def reverse(data: Body, reference: str) -> tuple[int, Body]:
    of = store.get(reference, "transfer", lock=True)
    left = of["amount"] - of["amount_reversed"]
    amount = store.number(data, "amount") or left
    if not 0 < amount <= left:
        raise Refusal(400, "Reversal amount is greater than what is left of the transfer.")
    gone = of["amount_reversed"] + amount
    store.save({**of, "amount_reversed": gone, "reversed": gone == of["amount"]})
    body = {
        "amount": amount,
        "currency": of["currency"],
        "transfer": reference,
        "metadata": data.get("metadata", {}),
    }
    return 200, store.new("trr", "transfer_reversal", body, reference)


@on("get", "/v1/transfers/{reference}/reversals")
def reversals(data: Body, reference: str) -> tuple[int, Body]:
    return 200, store.listed("transfer_reversal", f"/v1/transfers/{reference}/reversals", data, reference)


def onboarded(reference: str) -> Body:
    """The payee told Stripe's page everything."""
    account = store.get(reference, "account", lock=True)
    done = store.save({**account, "capabilities": {"transfers": "active"}, "payouts_enabled": True,
                       "details_submitted": True,
                       "requirements": {"currently_due": [], "disabled_reason": None}})  # fmt: skip
    events.emit("account.updated", done)
    return done


@on("get", "/v1/transfers/{reference}/reversals/{reversal}")
def read_reversal(data: Body, reference: str, reversal: str) -> tuple[int, Body]:
    return 200, store.get(reversal, "transfer_reversal")
