"""The effective state of a plugin in an organisation, always with its why (CONCEPTS §1).

on = installed ∧ granted by the parent ∧ (in the plan, an add-on, or set by staff) ∧ the owner's switch ∧ not tripped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.orm import Session

from chom_core.database import PLATFORM_ID
from chom_core.plugin_host.manifest import Plugin


class Condition(Struct, frozen=True):
    """One of the conditions: does it hold, and why, in words."""

    name: str
    holds: bool
    words: str


class EffectiveState(Struct, frozen=True):
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


class Decision(Struct, frozen=True):
    """Who switched a plugin, when and why."""

    on: bool
    person: str
    note: str
    at: datetime


@dataclass(slots=True)
class Facts:
    """What the database knows about one organisation's plugins. `tripped`: the error of each open breaker."""

    kind: str
    installed: frozenset[str]
    switches: dict[tuple[str, str], Decision]
    platform: dict[tuple[str, str], Decision]
    entitlements: dict[str, str]
    tripped: dict[str, str] = field(default_factory=dict)


#: Asked once per generation, which for a worker is once per organisation and visit: one question, not five.
_FACTS = text("""
select (select kind from core.tenant where id = :tenant) as kind,
  (select array_agg(name::text) from core.installed_plugin) as installed,
  (select jsonb_agg(to_jsonb(s)) from core.plugin_switch s where tenant_id in (:tenant, :platform)) as switches,
  (select jsonb_object_agg(plugin, label) from core.entitlement where tenant_id = :tenant) as entitlements,
  (select jsonb_object_agg(plugin, error) from core.breaker
   where tenant_id in (:tenant, :platform) and state = 'open') as tripped
""")


def facts(session: Session, tenant_id: UUID) -> Facts:
    """Read them, with what `session` has not committed."""
    found = session.execute(_FACTS, {"tenant": tenant_id, "platform": PLATFORM_ID}).one()
    switches: dict[UUID, dict[tuple[str, str], Decision]] = {tenant_id: {}, PLATFORM_ID: {}}
    for row in found.switches or ():
        made = Decision(row["on"], row["person"], row["note"], datetime.fromisoformat(row["at"]))
        switches[UUID(row["tenant_id"])][row["plugin"], row["by"]] = made
    return Facts(
        kind=found.kind or "customer",
        installed=frozenset(found.installed or ()),
        switches=switches[tenant_id],
        platform=switches[PLATFORM_ID],
        entitlements=found.entitlements or {},
        tripped=found.tripped or {},
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
            words = _("it kept failing: %(error)s", error=known.tripped[name])
            rules.append(Condition("breaker", False, words))
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


def _decision(switch: Decision) -> str:
    when = f"{switch.at:%d %b %Y}".lstrip("0")
    words = f"{switch.person}, {when}"
    return f"{words}, «{switch.note}»" if switch.note else words
