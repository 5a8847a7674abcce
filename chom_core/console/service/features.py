"""Features as an organisation sees them: what is on and why, and what stays and stops when it is switched off."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext
from msgspec import Struct
from sqlalchemy import func, select

from chom_core.console.service import switches
from chom_core.database import Tenant, session
from chom_core.database.tenancy import fenced
from chom_core.plugin_host import Plugin, gate, lifecycle, registry
from chom_core.plugin_host.effective import EffectiveState
from chom_core.plugin_host.manifest import Scope
from chom_core.plugin_host.models import Entitlement, PluginSwitch


class Feature(Struct, frozen=True):
    """A feature in one organisation. `switchable`: the owner's own switch decides, nothing else stands in its way."""

    plugin: Plugin
    state: EffectiveState
    owner: PluginSwitch | None
    staff: PluginSwitch | None

    @property
    def switchable(self) -> bool:
        return all(c.holds for c in self.state.conditions if c.name not in ("owner", "breaker"))

    @property
    def own_on(self) -> bool:
        """Where the owner's switch stands: on, until an owner switches it off."""
        return self.owner.on if self.owner is not None else True

    @property
    def tripped(self) -> bool:
        return any(c.name == "breaker" for c in self.state.conditions)

    @property
    def unconsented(self) -> list[Scope]:
        """Rights the feature asks for and nobody here has allowed: all at first, the new ones after an upgrade."""
        allowed = set(self.owner.scopes) if self.owner is not None and self.owner.on else set()
        return [scope for scope in self.plugin.scopes if scope.name not in allowed]


class Consequences(Struct, frozen=True):
    """What switching off means, in sentences."""

    stays: list[str]
    stops: list[str]
    depends: list[str]
    charges: list[str]


def features(tenant_id: UUID) -> list[Feature]:
    """Every feature that the organisation could have, those that are on first."""
    states, made = gate.enabled(tenant_id).states, switches.decisions(tenant_id)
    kind = session().scalar(select(Tenant.kind).where(Tenant.id == tenant_id))
    found = [
        Feature(loaded.plugin, states[name], made.get((name, "owner")), made.get((name, "staff")))
        for name, loaded in registry.loaded.items()
        if loaded.plugin.level == "tenant" or (loaded.plugin.level == "reseller" and kind != "customer")
    ]
    return sorted(found, key=lambda item: (not item.state.on, str(item.plugin.title).casefold()))


def feature(tenant_id: UUID, name: str) -> Feature:
    """One of them; NotFound for a name that is none of the organisation's business."""
    plugin = switches.own(name)
    state = gate.effective_state(tenant_id, name)
    owner, staff = (switches.decision(tenant_id, name, by) for by in ("owner", "staff"))
    return Feature(plugin, state, owner, staff)


def consequences(tenant_id: UUID, name: str) -> Consequences:
    """What stays and what stops. Counts the plugin's rows of this organisation, so it runs in a unit of it."""
    loaded = registry.loaded[name]
    plugin = loaded.plugin
    stays = [_("Its settings and everything it has stored; switched on again, it goes on where it was.")]
    line = lifecycle.history(loaded)
    for item in fenced(line.base) if line else ():
        if item.tenancy == "tenant":
            table = item.table
            count = session().scalar(
                select(func.count()).select_from(table).where(table.c.tenant_id == tenant_id)
            )
            if count:
                words = table.name.replace("_", " ")
                stays.append(
                    ngettext("%(num)d row of %(what)s", "%(num)d rows of %(what)s", count, what=words)
                )
    stops = (
        [_("Its pages: %(pages)s", pages=", ".join(str(i.label) for i in plugin.nav))] if plugin.nav else []
    )
    stops.append(_("Its part of other pages, and its API."))
    stops += [_("Scheduled work: %(name)s", name=item.name.replace("_", " ")) for item in plugin.schedules]
    if plugin.events:
        stops.append(_("Reacting to: %(events)s", events=", ".join(sorted(plugin.events))))
    on = gate.enabled(tenant_id).on
    depends = [
        str(other.plugin.title) for other_name, other in registry.loaded.items()
        if name in other.plugin.requires and other_name in on
    ]  # fmt: skip
    labels = select(Entitlement.label).where(Entitlement.tenant_id == tenant_id, Entitlement.plugin == name)
    charges = [
        _("It is part of %(plan)s, whose price stays the same.", plan=label)
        for label in session().scalars(labels)
    ]
    return Consequences(stays, stops, depends, charges or [_("Nothing is charged for it.")])
