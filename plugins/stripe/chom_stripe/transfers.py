"""Transfers to connected accounts and their reversals: one for each key, found again by the key in its metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chom_sdk import Money
from chom_stripe import attempts
from chom_stripe.keys import Keys, api
from chom_stripe.outcomes import minor, plain

if TYPE_CHECKING:
    from stripe import Transfer, TransferReversal


def send(
    keys: Keys, owner_id: UUID, key: str, amount: Money, account: str, words: str, facts: Mapping[str, str]
) -> Transfer:
    """Money from the platform's balance to `account`. `facts` go into its metadata. Stripe's errors pass."""
    asked: Any = {
        "amount": minor(amount),
        "currency": amount.currency.lower(),
        "destination": account,
        "description": words[:500],
        "metadata": {"chom_key": key, **facts},
    }
    name = f"{owner_id}/{key}"
    made: Transfer = attempts.once(
        keys.mode,
        name,
        owner_id,
        create=lambda: api(keys).transfers.create(asked, {"idempotency_key": name}),
        fetch=lambda reference: api(keys).transfers.retrieve(reference),
        find=lambda: _with(
            key, api(keys).transfers.list({"destination": account, "limit": 100}).auto_paging_iter()
        ),
    )
    return made


def reverse(keys: Keys, owner_id: UUID, key: str, transfer: str, amount: Money) -> TransferReversal:
    """Take `amount` of a transfer back. Stripe's errors pass."""
    name = f"{owner_id}/{key}"
    asked: Any = {"amount": minor(amount), "metadata": {"chom_key": key}}
    made: TransferReversal = attempts.once(
        keys.mode,
        name,
        owner_id,
        create=lambda: api(keys).transfers.reversals.create(transfer, asked, {"idempotency_key": name}),
        fetch=lambda reference: api(keys).transfers.reversals.retrieve(transfer, reference),
        find=lambda: _with(key, api(keys).transfers.reversals.list(transfer).auto_paging_iter()),
    )
    return made


def _with(key: str, made: Iterable[Any]) -> Any:
    return next((one for one in made if plain(one.metadata).get("chom_key") == key), None)
