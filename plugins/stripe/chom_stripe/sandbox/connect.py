"""Connected accounts, their onboarding, transfers and reversals."""

from __future__ import annotations

from chom_stripe.sandbox import events, store
from chom_stripe.sandbox.routing import on
from chom_stripe.sandbox.store import Body, Refusal

PAGE = "/stripe/sandbox/onboarding/"
_NEEDS = ["external_account", "tos_acceptance.date"]
#: What card payments need on top: what is sold, and where.
_SALES = ["business_profile.mcc", "business_profile.url"]
NO_TRANSFERS = (
    "Your destination account needs to have at least one of the following capabilities enabled: transfers"
)


@on("post", "/v1/accounts")
def create(data: Body) -> tuple[int, Body]:
    body = {
        "email": data.get("email"), "country": data.get("country") or "US", "metadata": data.get("metadata", {}),
        "capabilities": dict.fromkeys(_requested(data), "inactive"), "payouts_enabled": False,
        "details_submitted": False, "requirements": {"currently_due": [], "disabled_reason": None},
    }  # fmt: skip
    return 200, store.save(_judged(store.new("acct", "account", body)))


@on("get", "/v1/accounts/{reference}")
def read(data: Body, reference: str) -> tuple[int, Body]:
    return 200, store.get(reference, "account")


@on("post", "/v1/accounts/{reference}")
def update(data: Body, reference: str) -> tuple[int, Body]:
    """What is asked for anew waits until the payee was on Stripe's page again."""
    account = store.get(reference, "account", lock=True)
    asked = dict.fromkeys(_requested(data), "inactive")
    return 200, store.save(_judged({**account, "capabilities": {**asked, **account["capabilities"]}}))


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
    if account["capabilities"].get("transfers") != "active":
        raise Refusal(400, NO_TRANSFERS, code="insufficient_capabilities_for_transfer")
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
    return 200, take_back(of, amount, data.get("metadata", {}))


@on("get", "/v1/transfers/{reference}/reversals")
def reversals(data: Body, reference: str) -> tuple[int, Body]:
    return 200, store.listed("transfer_reversal", f"/v1/transfers/{reference}/reversals", data, reference)


def onboarded(reference: str) -> Body:
    """The payee told Stripe's page everything."""
    account = store.get(reference, "account", lock=True)
    done = {
        **account,
        "capabilities": dict.fromkeys(account["capabilities"], "active"),
        "details_submitted": True,
    }
    return _changed(_judged(done))


def decide(reference: str, capability: str, state: str) -> Body:
    """Stripe itself changes a capability: `pending` while it looks, `inactive` where it stops the account."""
    account = store.get(reference, "account", lock=True)
    return _changed(_judged({**account, "capabilities": {**account["capabilities"], capability: state}}))


def take_back(of: Body, amount: int, metadata: Body | None = None) -> Body:
    """Reverse part of a transfer that is locked and has so much left."""
    gone = of["amount_reversed"] + amount
    store.save({**of, "amount_reversed": gone, "reversed": gone == of["amount"]})
    body = {"amount": amount, "currency": of["currency"], "transfer": of["id"], "metadata": metadata or {}}
    return store.new("trr", "transfer_reversal", body, of["id"])


def _requested(data: Body) -> list[str]:
    """Names of the capabilities that a request asks for; card payments come with transfers only."""
    asked = [name for name, one in (data.get("capabilities") or {}).items() if one.get("requested") == "true"]
    if "card_payments" in asked and "transfers" not in asked:
        raise Refusal(400, "You cannot request the capability card_payments without transfers.")
    return asked


def _judged(account: Body) -> Body:
    """What the account still needs, by the capabilities that are not active; it can be paid once it has transfers."""
    off = {name for name, state in account["capabilities"].items() if state == "inactive"}
    needs = (_NEEDS if "transfers" in off else []) + (_SALES if "card_payments" in off else [])
    why = "requirements.past_due" if needs else None
    return {
        **account,
        "payouts_enabled": account["capabilities"].get("transfers") == "active",
        "requirements": {"currently_due": needs, "disabled_reason": why},
    }


def _changed(account: Body) -> Body:
    events.emit("account.updated", store.save(account))
    return account


@on("get", "/v1/transfers/{reference}/reversals/{reversal}")
def read_reversal(data: Body, reference: str, reversal: str) -> tuple[int, Body]:
    return 200, store.get(reversal, "transfer_reversal")
