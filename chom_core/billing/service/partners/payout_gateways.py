"""The gateways that pay out, called as the plugin they belong to and with no transaction open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask_babel import gettext as _
from msgspec import Struct

from chom_core.billing.service.paying.gateways import as_plugin
from chom_core.plugin_host import hooks
from chom_core.values.billing import PayoutGateway, PayoutQuery
from chom_core.values.errors import Unavailable
from chom_core.work import outside

T = TypeVar("T")


class BoundPayouts(Struct, frozen=True):
    """A payout gateway and the plugin it belongs to."""

    plugin: str
    gateway: PayoutGateway

    def call(self, action: Callable[[PayoutGateway], T]) -> T:
        """Run `action` as the plugin, after committing what was written. Unknown errors are Unavailable: ask again."""
        fix = "The same payout is asked about again later."
        return outside(as_plugin, self.plugin, self.gateway, action, fix)


def able(currency: str) -> str:
    """The name of the first gateway that can pay `currency` out; empty where there is none."""
    found = _found(currency, "")
    return found[0].gateway.name if found else ""


def gateway(currency: str, name: str) -> BoundPayouts:
    """The gateway called `name`; Unavailable where it is not here (any more)."""
    for bound in _found(currency, name):
        if bound.gateway.name == name:
            return bound
    raise Unavailable(
        _("The payout gateway %(name)s is not here.", name=name),
        fix=_("Staff: switch it on under Extensions."),
    )


def _found(currency: str, name: str) -> list[BoundPayouts]:
    answers = hooks.billing_payouts(PayoutQuery(currency, name))
    return [BoundPayouts(plugin, value) for plugin, value, _error in answers if value is not None]
