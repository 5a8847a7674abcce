"""A dispute of a payment that went to a reseller: Stripe takes the money from the platform, which takes it back.

The reseller's part comes back by a reversal of the payment's transfer, and goes there again where the dispute is won.
How much that is stands in the dispute's row before Stripe is asked: a second try asks for the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chom_sdk import Conflict, Money, session
from chom_sdk.work import outside
from chom_stripe import attempts, charges, transfers
from chom_stripe.keys import Keys, api
from chom_stripe.models import Dispute
from chom_stripe.outcomes import destination, identity, money, spoken

_KEPT = "Stripe did not take the money back from the reseller's account."


def follow(keys: Keys, reference: str, intent: Any, tenant_id: UUID, *, won: bool) -> str:
    """Take the money back while the bank has it; send it again once it is won. What came of it, in words.

    Commits on the way. Raises Unavailable where nobody knows, and Conflict where Stripe refuses: call it again.
    """
    account, back = destination(intent), f"dispute/{reference}/back"
    if not account or (won and not attempts.begun(keys.mode, f"{tenant_id}/{back}")):
        return ""
    made = outside(_transfer, keys, intent.id)
    amount = _amount(keys, reference, made)
    if not amount:
        return "nothing of its transfer is left"
    if won:
        try:
            outside(_back, keys, back, made, tenant_id, amount)  # its answer may have been lost
        except Conflict:
            return "nothing had been taken back"
        outside(_again, keys, f"dispute/{reference}/again", tenant_id, account, amount)
        return f"{amount.format()} sent to {account} again"
    outside(_back, keys, back, made, tenant_id, amount)
    return f"{amount.format()} taken back from {account}"


def _amount(keys: Keys, reference: str, transfer: str) -> Money:
    row = _row(keys, reference)
    if row.recovered is None:
        most = outside(_most, keys, transfer, row.amount)
        row = _row(keys, reference)
        row.recovered = most if row.recovered is None else row.recovered
    return Money(row.recovered, row.currency)


def _row(keys: Keys, reference: str) -> Dispute:
    query = select(Dispute).where(Dispute.mode == keys.mode, Dispute.reference == reference)
    return session().scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def _transfer(keys: Keys, intent: str) -> str:
    return identity(getattr(charges.intent(keys, intent).latest_charge, "transfer", None))


def _most(keys: Keys, transfer: str, disputed: int) -> int:
    """What of the disputed amount is still with the reseller."""
    if not transfer:
        return 0
    with spoken(), _refused(_KEPT):
        found = api(keys).transfers.retrieve(transfer)
    return min(disputed, money(found.amount - found.amount_reversed, found.currency).amount)


def _back(keys: Keys, key: str, transfer: str, tenant_id: UUID, amount: Money) -> None:
    with spoken(), _refused(_KEPT):
        transfers.reverse(keys, tenant_id, key, transfer, amount)


def _again(keys: Keys, key: str, tenant_id: UUID, account: str, amount: Money) -> None:
    facts = {"chom_tenant": str(tenant_id)}
    with spoken(), _refused("Stripe did not send the money to the reseller's account again."):
        transfers.send(keys, tenant_id, key, amount, account, "A dispute was won", facts)


@contextmanager
def _refused(words: str) -> Iterator[None]:
    import stripe

    try:
        yield
    except stripe.IdempotencyError:
        raise
    except stripe.InvalidRequestError as error:
        fix = f"It is tried again. Stripe says: {error.user_message}"
        raise Conflict(words, fix=fix) from error
