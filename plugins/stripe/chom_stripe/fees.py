"""What Stripe keeps of a payment or a dispute: the fee of its balance transaction, posted as soon as somebody hears.

Right after a charge the balance transaction may not be there yet: then the webhook finds it, or the nightly comparison.
It is in the currency in which the account settles, and so is its entry.
The fee is the platform's cost, also of a reseller's payment (`controller.fees.payer` is the application).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from chom_sdk import Conflict, Invalid
from chom_sdk.billing import GatewayFee, charged_fee, dispute_fee


def post(payment_id: UUID, fee: GatewayFee | None) -> str:
    """Post it in the current organisation, however often it is heard; what came of it, in words."""
    if fee is None:
        return "no fee yet"
    return _said(fee, lambda: charged_fee(payment_id, fee.reference, fee.amount, of_platform=fee.of_platform))


def post_of_dispute(payment_id: UUID, dispute: str, fees: Sequence[GatewayFee]) -> str:
    """`post`, of each fee of a dispute; empty where there is none (yet)."""

    def one(fee: GatewayFee) -> str:
        return _said(
            fee,
            lambda: dispute_fee(payment_id, dispute, fee.reference, fee.amount, of_platform=fee.of_platform),
        )

    return ", ".join(map(one, fees))


def _said(fee: GatewayFee, verb: Callable[[], object]) -> str:
    try:
        verb()
    except (Invalid, Conflict) as odd:  # it stands in the list of differences, and a person posts it
        return f"fee not posted: {odd.detail}"
    return f"fee {fee.amount.format()}"
