"""What the plugin answers: Stripe takes and pays out every currency CHOM knows."""

from __future__ import annotations

from chom_sdk import hookimpl
from chom_sdk.billing import Gateway, GatewayQuery, PayoutGateway, PayoutQuery
from chom_stripe import keys
from chom_stripe.gateway import StripeGateway
from chom_stripe.payouts import StripePayouts


@hookimpl
def billing_gateways(query: GatewayQuery) -> Gateway | None:
    """Stripe with the keys in force; the sandbox without."""
    return StripeGateway(keys.read())


@hookimpl
def billing_payouts(query: PayoutQuery) -> PayoutGateway | None:
    """Connect, with the same keys."""
    return StripePayouts(keys.read())
