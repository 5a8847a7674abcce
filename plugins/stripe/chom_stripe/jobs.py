"""Jobs of the plugin: hearing events, reconciling daily, forgetting removed cards, delivering the sandbox's events."""

from __future__ import annotations

from chom_sdk import Refused, transaction
from chom_sdk.billing import recheck_payment
from chom_sdk.work import Job, job, outside
from chom_stripe import (
    cards,
    charges,
    fees,
    hearing,
    keys,
    outcomes,
    reconcile,
    reconcile_disputes,
    webhooks,
)


@job(webhooks.HEAR, timeout=60, attempts=12)
def hear(current: Job) -> None:
    """Act on an event."""
    hearing.hear(current)


@job("stripe.reconcile", timeout=600)
def reconcile_daily(current: Job) -> None:
    """List every difference between our payments and Stripe's, and repair what is safe."""
    reconcile.run()


@job("stripe.recheck", timeout=60)
def recheck(current: Job) -> None:
    """A safe repair: Stripe knows how an attempt ended, or what it kept of it, and we had not heard."""
    key, reference = current.args["key"], current.args["reference"]
    found = outside(charges.intent, keys.read(), reference)
    fees.post(recheck_payment(keys.NAME, key=key, reference=reference), outcomes.fee_of(found))


@job(reconcile_disputes.HEAR_AGAIN, timeout=60)
def recheck_dispute(current: Job) -> None:
    """A safe repair: a dispute stands otherwise at Stripe, or a fee of it was not posted here."""
    if current.tenant_id is not None:
        hearing.hear_dispute(current.args["reference"], current.tenant_id)


@job("stripe.detach", timeout=60)
def detach(current: Job) -> None:
    """A card was removed: Stripe forgets it too."""
    facts = current.event.payload
    if facts["gateway"] == keys.NAME and current.tenant_id is not None:
        outside(cards.detach, keys.read(), current.tenant_id, facts["reference"])


@job("stripe.sandbox_deliver", timeout=30, attempts=12)
def deliver(current: Job) -> None:
    """The sandbox sends a webhook, through the very function that the endpoint calls."""
    from chom_stripe.sandbox import events

    with transaction():
        body, signature = events.signed(current.args["event"], forged=current.args["forged"])
    try:
        webhooks.receive(body, signature)
    except Refused:
        if not current.args["forged"]:
            raise
