"""The kinds of messages: the kernel's own, and those that plugins state in their manifests."""

from __future__ import annotations

from flask_babel import gettext as _

from chom_core.notifications.phrases import phrase as _p
from chom_core.plugin_host import registry
from chom_core.values.errors import NotFound
from chom_core.values.notifications import Category, NotificationType
from chom_core.values.principal import Role

_MONEY = (Role.OWNER, Role.ADMIN, Role.BILLING)
_WORK = (Role.OWNER, Role.ADMIN, Role.MEMBER)

#: What the kernel itself says. Mails that identity asks for (verify, reset, invite) are no notifications: they go to
#: an address, not to an inbox, and nobody can switch them off.
CORE: dict[str, NotificationType] = {
    found.name: found
    for found in (
        NotificationType("service.active", _p("A service is ready"), roles=_WORK),
        NotificationType("service.failed", _p("A service could not be built"), roles=_WORK, mandatory=True),
        NotificationType("service.suspended", _p("A service is suspended"), roles=_WORK, mandatory=True),
        NotificationType("service.deleted", _p("A service is deleted"), roles=_WORK),
        NotificationType("invoice.paid", _p("An invoice is paid"), Category.BILLING, roles=_MONEY),
        NotificationType(
            "payment.failed", _p("A payment failed"), Category.BILLING, mandatory=True, roles=_MONEY
        ),
        NotificationType(
            "payment.action_required",
            _p("Your bank wants you to approve a payment"),
            Category.BILLING,
            mandatory=True,
            roles=_MONEY,
        ),
        NotificationType(
            "dunning.warning",
            _p("Services are about to be suspended"),
            Category.BILLING,
            mandatory=True,
            roles=_MONEY,
        ),
        NotificationType(
            "dunning.suspended",
            _p("Services are suspended for an unpaid invoice"),
            Category.BILLING,
            mandatory=True,
            roles=_MONEY,
        ),
        NotificationType(
            "dunning.restored", _p("Suspended services run again"), Category.BILLING, roles=_MONEY
        ),
        NotificationType(
            "dunning.ended", _p("An unpaid invoice was given up"), Category.BILLING, roles=_MONEY
        ),
        NotificationType(
            "subscription.change_upcoming",
            _p("A change of a plan comes tomorrow"),
            Category.BILLING,
            roles=_MONEY,
        ),
        NotificationType(
            "subscription.change_failed",
            _p("A change of a plan did not happen"),
            Category.BILLING,
            roles=_MONEY,
        ),
        NotificationType("subscription.ended", _p("A subscription ended"), Category.BILLING, roles=_MONEY),
        NotificationType("member.joined", _p("Somebody joins the organisation"), Category.SYSTEM),
        NotificationType(
            "feature.switched", _p("A feature is switched on or off"), Category.SYSTEM, ("inbox",)
        ),
        NotificationType("security.login", _p("A log-in from a new place"), Category.SYSTEM, mandatory=True),
    )
}


def all_types(on: frozenset[str] | None = None) -> list[NotificationType]:
    """Every type, the kernel's first. `on`: leave out types of plugins that are not in this set."""
    found = list(CORE.values())
    for name, loaded in registry.loaded.items():
        if on is None or name in on:
            found += loaded.plugin.notifications
    return found


def find(name: str) -> tuple[NotificationType, str | None]:
    """The type `name` and the plugin it belongs to (None: the kernel's). NotFound where nobody declares it."""
    if name in CORE:
        return CORE[name], None
    for plugin, loaded in registry.loaded.items():
        for found in loaded.plugin.notifications:
            if found.name == name:
                return found, plugin
    raise NotFound(
        _("There is no kind of notification %(name)r.", name=name),
        fix=_("State it in the plugin's manifest: notifications=(…)."),
    )
