"""What the plugin answers."""

from __future__ import annotations

from chom_sandbox_gateway.disputes import SandboxDisputes
from chom_sandbox_gateway.gateway import Sandbox
from chom_sdk import hookimpl
from chom_sdk.billing import DisputeGateway, DisputeQuery, Gateway, GatewayQuery

_sandbox, _disputes = Sandbox(), SandboxDisputes()


@hookimpl
def billing_gateways(query: GatewayQuery) -> Gateway | None:
    """The sandbox takes every currency."""
    return _sandbox


@hookimpl
def billing_disputes(query: DisputeQuery) -> DisputeGateway | None:
    """Its «bank» hears our side."""
    return _disputes if query.gateway == _sandbox.name else None
