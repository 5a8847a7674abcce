"""What the plugin answers."""

from __future__ import annotations

from chom_sandbox_gateway.gateway import Sandbox
from chom_sdk import hookimpl
from chom_sdk.billing import Gateway, GatewayQuery

_sandbox = Sandbox()


@hookimpl
def billing_gateways(query: GatewayQuery) -> Gateway | None:
    """The sandbox takes every currency."""
    return _sandbox
