"""What the plugin answers: Stripe takes and pays out every currency CHOM knows, and tells banks our side."""

from __future__ import annotations

from chom_sdk import hookimpl
from chom_sdk.billing import DisputeGateway, DisputeQuery, Gateway, GatewayQuery, PayoutGateway, PayoutQuery
from chom_stripe import keys
from chom_stripe.disputes import StripeDisputes
from chom_stripe.gateway import StripeGateway
from chom_stripe.payouts import StripePayouts


@hookimpl
def billing_gateways(query: GatewayQuery) -> Gateway | None:
    """Stripe with the keys in force; the sandbox without."""
    return StripeGateway(keys.read())


@hookimpl
def billing_disputes(query: DisputeQuery) -> DisputeGateway | None:
    """Banks hear our side of payments that Stripe took."""
    return StripeDisputes(keys.read()) if query.gateway == keys.NAME else None


@hookimpl
def billing_payouts(query: PayoutQuery) -> PayoutGateway | None:
    """Connect, with the same keys."""
    return StripePayouts(keys.read())
