"""What the «bank» does by itself: it takes a payment back, and decides once it has heard our side."""

from __future__ import annotations

from datetime import timedelta

from chom_sandbox_gateway import book, disputes
from chom_sdk import clock
from chom_sdk.billing import disputed, payment_id, recheck_payment
from chom_sdk.work import Job, job

#: How long the bank waits for our side.
PATIENCE = timedelta(days=10)


@job(book.TAKE_BACK, attempts=20)
def take_back(current: Job) -> None:
    """The customer says that it bought nothing. The payment is looked at first: it may not be settled yet."""
    key, charge = current.args["key"], book.shown(current.args["reference"])
    of = recheck_payment(disputes.NAME, key=key, reference=charge.reference)
    if not disputes.money(charge):  # all of it was given back meanwhile
        return
    disputed(
        of, disputes.reference_of(charge), disputes.money(charge), "open", reason="fraudulent",
        evidence_due=clock.now() + PATIENCE,
    )  # fmt: skip


@job(disputes.DECIDE, attempts=20)
def decide(current: Job) -> None:
    """Won or lost, by what it was told."""
    dispute, state = current.args["dispute"], current.args["state"]
    charge = disputes.charge_of(dispute)
    of = payment_id(disputes.NAME, reference=charge.reference)
    disputed(of, dispute, disputes.money(charge), state, answered=True)
