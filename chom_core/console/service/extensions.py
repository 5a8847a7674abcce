"""What plugins are here, what they answer, what it costs, and what is wrong with them: reads for staff."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import func, select

from chom_core.database import PLATFORM_ID, Tenant, session
from chom_core.hookspecs import specs
from chom_core.plugin_host import Plugin, gate, registry
from chom_core.plugin_host.models import Breaker, InstalledPlugin
from chom_core.work import PluginState


class Use(Struct, frozen=True):
    """A hook that a plugin answers: calls, mean and total milliseconds, errors, all in this process since it began."""

    hook: str
    section: str
    fail: str
    about: str
    calls: int
    ms: float
    total_ms: float
    errors: int
    last_error: str


class Extension(Struct, frozen=True):
    """A plugin that runs here. `on_in`: organisations it is on in; None where it is on, or off, for everyone."""

    plugin: Plugin
    version: str
    uses: tuple[Use, ...]
    on: bool
    on_in: int | None
    why: str
    tripped: int

    @property
    def calls(self) -> int:
        return sum(use.calls for use in self.uses)

    @property
    def errors(self) -> int:
        return sum(use.errors for use in self.uses)

    @property
    def ms(self) -> float:
        """Milliseconds for each call, in the mean."""
        return sum(use.total_ms for use in self.uses) / self.calls if self.calls else 0.0


class Absent(Struct, frozen=True):
    """A plugin that is here, or was, and does not run: why, and what to do about it."""

    name: str
    version: str
    why: str


class Tripped(Struct, frozen=True):
    """A breaker that is open (or half open: one probe is let through)."""

    tenant_id: UUID
    organisation: str
    plugin: str
    state: str
    trips: int
    retry_at: datetime | None
    error: str


def uses(name: str) -> tuple[Use, ...]:
    """Every hook that `name` answers."""
    found = []
    for hook, row in registry.implementations.items():
        for item in row:
            if item.plugin != name:
                continue
            spec, calls, ns = specs()[hook], item.calls, item.ns
            total = ns / 1e6
            mean = total / calls if calls else 0.0
            about = spec.doc.splitlines()[0]
            found.append(
                Use(hook, spec.section, spec.fail, about, calls, mean, total, item.errors, item.last_error)
            )
    return tuple(found)


def extension(name: str) -> Extension:
    """One plugin that runs here (KeyError otherwise: ask `switches.manifest` first)."""
    return next(item for item in running() if item.plugin.name == name)


def running() -> list[Extension]:
    """Every plugin that runs here, by title."""
    query = select(PluginState.plugin, func.count()).where(PluginState.tenant_id != PLATFORM_ID)
    counts = {row[0]: row[1] for row in session().execute(query.group_by(PluginState.plugin))}
    broken = select(Breaker.plugin, func.count()).where(Breaker.state == "open").group_by(Breaker.plugin)
    trips = {row[0]: row[1] for row in session().execute(broken)}
    states = gate.enabled(PLATFORM_ID).states
    found = []
    for name, loaded in registry.loaded.items():
        wide, state = loaded.plugin.level == "platform", states[name]
        stop = next(
            (c for c in state.conditions if c.name in ("platform", "installed") and not c.holds), None
        )
        count = 0 if stop else counts.get(name, 0)
        on = state.on if wide else count > 0
        why = state.why if wide or stop is None else _("Off: %(why)s", why=stop.words)
        if not wide and stop is None:
            why = (
                _("Each organisation decides")
                if loaded.plugin.level == "tenant"
                else _("each reseller decides")
            )
        found.append(
            Extension(
                loaded.plugin,
                loaded.version,
                uses(name),
                on,
                None if wide else count,
                why,
                trips.get(name, 0),
            )
        )
    return sorted(found, key=lambda item: str(item.plugin.title).casefold())


def absent() -> tuple[list[Absent], list[Absent]]:
    """(skipped or gone, with why; here and not installed)."""
    query = select(InstalledPlugin.name, InstalledPlugin.version)
    installed = {row[0]: row[1] for row in session().execute(query)}
    skipped, available = [], []
    for name, item in sorted(registry.skipped.items()):
        if name in registry.loaded:
            continue
        if "is not installed" not in item.why:
            skipped.append(Absent(name, item.version, item.why))
        elif name in installed:
            why = _("it was installed after this process began; restart web and workers")
            skipped.append(Absent(name, item.version, why))
        else:
            available.append(Absent(name, item.version, item.why))
    for name, version in sorted(installed.items()):
        if name not in registry.loaded and name not in registry.skipped:
            why = _("it is installed, but its code is gone; install its wheel again, or uninstall it")
            skipped.append(Absent(name, version, why))
    return skipped, available


def tripped(plugin: str = "") -> list[Tripped]:
    """Breakers that are not closed, the latest trip first; of one plugin, or of all."""
    query = (
        select(
            Breaker.tenant_id,
            Tenant.name,
            Breaker.plugin,
            Breaker.state,
            Breaker.trips,
            Breaker.retry_at,
            Breaker.error,
        )
        .join(Tenant, Tenant.id == Breaker.tenant_id)
        .order_by(Breaker.retry_at.desc().nulls_last())
    )
    if plugin:
        query = query.where(Breaker.plugin == plugin)
    return [Tripped(*row) for row in session().execute(query)]
