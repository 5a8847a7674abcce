"""What Stripe keeps of a payment: the fee of its balance transaction, posted as soon as somebody hears of it.

Right after a charge the balance transaction may not be there yet: then the webhook finds it, or the nightly comparison.
The fee is the platform's cost, also of a reseller's payment (`controller.fees.payer` is the application).
"""

from __future__ import annotations

from uuid import UUID

from chom_sdk import Conflict, Invalid
from chom_sdk.billing import GatewayFee, charged_fee


def post(payment_id: UUID, fee: GatewayFee | None) -> str:
    """Post it in the current organisation, however often it is heard; what came of it, in words."""
    if fee is None:
        return "no fee yet"
    try:
        charged_fee(payment_id, fee.reference, fee.amount, of_platform=fee.of_platform)
    except (Invalid, Conflict) as odd:
        # Stripe settles in a currency of its own: it stands in the list of differences, and a person posts it
        return f"fee not posted: {odd.detail}"
    return f"fee {fee.amount.format()}"
