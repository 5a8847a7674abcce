"""The gateways of this organisation's seller, called as the plugin they belong to and with no transaction open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar
from uuid import UUID

import structlog
from flask_babel import gettext as _
from msgspec import Struct

from chom_core.billing.models import PaymentMethod
from chom_core.billing.service.invoicing.sellers import seller
from chom_core.database import acting_as, current
from chom_core.plugin_host import hooks
from chom_core.values.billing import (
    CardForm,
    CardFormQuery,
    CardSubmission,
    DisputeGateway,
    Gateway,
    GatewayQuery,
    PayoutGateway,
    SavedMethod,
)
from chom_core.values.errors import ChomError, Unavailable
from chom_core.work import outside

log = structlog.get_logger("chom.billing")
T = TypeVar("T")
G = TypeVar("G", Gateway, PayoutGateway, DisputeGateway)


def as_plugin(plugin: str, gateway: G, action: Callable[[G], T], fix: str) -> T:
    """Run `action` on a plugin's gateway, as that plugin.

    Errors the gateway means for people pass; anything else means the answer is unknown: Unavailable, with `fix`.
    """
    try:
        with acting_as(plugin):
            return action(gateway)
    except ChomError:
        raise
    except Exception as error:
        log.exception("gateway failed", gateway=gateway.name, error=type(error).__name__)
        raise Unavailable(_("%(title)s did not answer.", title=gateway.title), fix=fix) from error


class Bound(Struct, frozen=True):
    """A gateway and the plugin it belongs to."""

    plugin: str
    gateway: Gateway

    def call(self, action: Callable[[Gateway], T]) -> T:
        """Run `action` on the gateway as its plugin, after committing what was written: no lock waits for a bank.

        Errors the gateway means for people pass; anything else means the answer is unknown: Unavailable.
        """
        fix = "Nothing is lost: try again in a minute. You will not be charged twice."
        return outside(as_plugin, self.plugin, self.gateway, action, fix)

    def card_form(
        self, tenant_id: UUID, currency: str, errors: Mapping[str, list[str]] | None = None
    ) -> CardForm:
        """The gateway's own fields; this one only reads, so no commit."""
        with acting_as(self.plugin, writes=False):
            return self.gateway.card_form(CardFormQuery(tenant_id, currency, errors or {}))

    def save_method(self, submission: CardSubmission) -> SavedMethod:
        """Keep a card at the gateway."""
        return self.call(lambda gateway: gateway.save_method(submission))


def gateway(currency: str, name: str = "") -> Bound:
    """The gateway called `name`, else the seller's choice, else the first that takes `currency`."""
    wanted = name or seller().gateway
    query = GatewayQuery(current().tenant_id, currency, wanted)
    answers = hooks.billing_gateways(query)
    found = [Bound(plugin, value) for plugin, value, _error in answers if value is not None]
    for bound in found:
        if bound.gateway.name == wanted:
            return bound
    if found and not name:
        return found[0]
    raise Unavailable(
        _("No payment gateway takes %(currency)s here.", currency=currency)
        if not name
        else _("The payment gateway %(name)s is not here.", name=name),
        fix=_("Staff: switch on a gateway such as the sandbox under Extensions."),
    )


def gateway_of(method: PaymentMethod, currency: str) -> Bound:
    """The gateway that keeps this card."""
    return gateway(currency, method.gateway)
