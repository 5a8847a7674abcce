"""The effective state of a plugin in an organisation, always with its why (CONCEPTS §1).

on = installed ∧ granted by the parent ∧ (in the plan, an add-on, or set by staff) ∧ the owner's switch ∧ not tripped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from chom_core.database import PLATFORM_ID, Tenant
from chom_core.plugin_host.manifest import Plugin
from chom_core.plugin_host.models import Breaker, Entitlement, InstalledPlugin, PluginSwitch


@dataclass(frozen=True, slots=True)
class Condition:
    """One of the conditions: does it hold, and why, in words."""

    name: str
    holds: bool
    words: str


@dataclass(frozen=True, slots=True)
class EffectiveState:
    """Whether a plugin is on, with every condition. `wanted` leaves the breaker aside: closed hooks go by it."""

    plugin: str
    conditions: tuple[Condition, ...]

    @property
    def on(self) -> bool:
        return all(condition.holds for condition in self.conditions)

    @property
    def wanted(self) -> bool:
        return all(condition.holds for condition in self.conditions if condition.name != "breaker")

    @property
    def why(self) -> str:
        """«On: in Pro», or «Off: » with the first condition that fails."""
        for condition in self.conditions:
            if not condition.holds:
                return _("Off: %(why)s", why=condition.words)
        reason = next((c.words for c in self.conditions if c.name == "entitled"), "")
        return _("On: %(why)s", why=reason)


@dataclass(slots=True)
class Facts:
    """What the database knows about one organisation's plugins."""

    kind: str
    installed: frozenset[str]
    switches: dict[tuple[str, str], PluginSwitch]
    platform: dict[tuple[str, str], PluginSwitch]
    entitlements: dict[str, str]
    tripped: dict[str, Breaker] = field(default_factory=dict)


def facts(session: Session, tenant_id: UUID) -> Facts:
    """Read them: five short queries, asked once per generation."""
    switches: dict[UUID, dict[tuple[str, str], PluginSwitch]] = {tenant_id: {}, PLATFORM_ID: {}}
    decisions = select(PluginSwitch).where(PluginSwitch.tenant_id.in_(list(switches)))
    for row in session.scalars(decisions.execution_options(populate_existing=True)):
        switches[row.tenant_id][row.plugin, row.by] = row
    entitled = select(Entitlement.plugin, Entitlement.label).where(Entitlement.tenant_id == tenant_id)
    open_breakers = select(Breaker).where(
        Breaker.tenant_id.in_((tenant_id, PLATFORM_ID)), Breaker.state == "open"
    )
    return Facts(
        kind=session.scalar(select(Tenant.kind).where(Tenant.id == tenant_id)) or "customer",
        installed=frozenset(session.scalars(select(InstalledPlugin.name))),
        switches=switches[tenant_id],
        platform=switches[PLATFORM_ID],
        entitlements=dict(session.execute(entitled).all()),
        tripped={
            row.plugin: row
            for row in session.scalars(open_breakers.execution_options(populate_existing=True))
        },
    )


def states(plugins: Mapping[str, Plugin], known: Facts) -> dict[str, EffectiveState]:
    """The state of every loaded plugin; what a plugin requires comes before it."""
    found: dict[str, EffectiveState] = {}
    for name, plugin in plugins.items():
        rules = _platform(plugin, known) if plugin.level == "platform" else _tenant(plugin, known)
        needs = [other for other in plugin.requires if not (other in found and found[other].on)]
        if needs:
            rules.insert(1, Condition("requires", False, _("it needs %(names)s", names=", ".join(needs))))
        if name in known.tripped:
            error = known.tripped[name].error
            rules.append(Condition("breaker", False, _("it kept failing: %(error)s", error=error)))
        found[name] = EffectiveState(name, tuple(rules))
    return found


def _installed(plugin: Plugin, known: Facts) -> Condition:
    return Condition("installed", plugin.name in known.installed, _("it is not installed"))


def _platform(plugin: Plugin, known: Facts) -> list[Condition]:
    switch = known.platform.get((plugin.name, "staff"))
    words = _decision(switch) if switch else _("staff have not switched it on")
    on = switch.on if switch else plugin.on_by_default
    return [
        _installed(plugin, known),
        Condition("entitled", on, words if switch or not on else _("for everyone")),
    ]


def _tenant(plugin: Plugin, known: Facts) -> list[Condition]:
    rules = [_installed(plugin, known)]
    if plugin.level == "reseller":
        rules.append(Condition("level", known.kind != "customer", _("it is for resellers")))
    stopped = known.platform.get((plugin.name, "staff"))
    if stopped is not None and not stopped.on:
        words = _("switched off for everyone by %(decision)s", decision=_decision(stopped))
        rules.append(Condition("platform", False, words))
    granted = known.switches.get((plugin.name, "parent"))
    if granted is not None:
        rules.append(Condition("granted", granted.on, _("your provider does not offer it")))
    rules.append(_entitled(plugin, known))
    owner = known.switches.get((plugin.name, "owner"))
    if owner is not None:
        rules.append(Condition("owner", owner.on, _decision(owner)))
    return rules


def _entitled(plugin: Plugin, known: Facts) -> Condition:
    staff = known.switches.get((plugin.name, "staff"))
    if staff is not None:
        return Condition("entitled", staff.on, _decision(staff))
    if plugin.name in known.entitlements:
        return Condition("entitled", True, _("in %(plan)s", plan=known.entitlements[plugin.name]))
    if plugin.on_by_default:
        return Condition("entitled", True, _("for everyone"))
    return Condition("entitled", False, _("it is in no plan or add-on of yours"))


def _decision(switch: Any) -> str:
    when = f"{switch.at:%d %b %Y}".lstrip("0")
    words = f"{switch.person}, {when}"
    return f"{words}, «{switch.note}»" if switch.note else words
