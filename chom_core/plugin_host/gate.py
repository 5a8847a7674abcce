"""The gate: one question, `is_enabled(organisation, plugin)`, asked by every surface; and the verbs that change it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from uuid import UUID

from msgspec import Struct
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chom_core.database import PLATFORM_ID, Tenant, clock, current, session, transaction
from chom_core.database.unit import Unit, current_or_none
from chom_core.hookspecs import specs
from chom_core.plugin_host import effective
from chom_core.plugin_host.dispatch import Table, compile_table
from chom_core.plugin_host.effective import EffectiveState
from chom_core.plugin_host.models import Entitlement, InstalledPlugin, PluginSwitch
from chom_core.plugin_host.registry import registry
from chom_core.values.errors import Conflict, NotFound
from chom_core.work import emit, enqueue
from chom_core.work.models import PluginState


class Enabled(Struct, frozen=True):
    """What is on for one organisation at one generation, and its compiled hook table."""

    tenant_id: UUID
    generation: int
    on: frozenset[str]
    states: dict[str, EffectiveState]
    table: Table


_cache: dict[UUID, Enabled] = {}
_tables: dict[tuple[frozenset[str], frozenset[str]], Table] = {}
_CACHED = 20_000


def enabled(tenant_id: UUID) -> Enabled:
    """What is on for `tenant_id` now. Cached in this process under the organisation's generation."""
    unit = current_or_none()
    if unit is not None and unit.tenant_id == tenant_id and unit.generation:
        generation: int | None = unit.generation
    elif unit is not None:
        generation = unit.session.scalar(select(Tenant.generation).where(Tenant.id == tenant_id))
    else:
        with transaction() as fresh:
            generation = fresh.scalar(select(Tenant.generation).where(Tenant.id == tenant_id))
    if generation is None:
        raise NotFound("This organisation does not exist.")
    if unit is not None and _UNCOMMITTED in unit.cache:
        return _within(unit, tenant_id, generation)
    held = _cache.get(tenant_id)
    if held is None or held.generation != generation:
        held = _compute(tenant_id, generation)
        if len(_cache) >= _CACHED:
            _cache.clear()
        _cache[tenant_id] = held
    return held


#: Marks a unit that changed switches and has not committed: what it sees is its own, and must not be cached.
_UNCOMMITTED = "plugin_host.uncommitted"


def _within(unit: Unit, tenant_id: UUID, generation: int) -> Enabled:
    """What the unit's own uncommitted changes make of it, kept for that unit and generation only.

    Cached for all, a state read before the commit would stand under the number that the commit then publishes.
    """
    mine: dict[tuple[UUID, int], Enabled] = unit.cache[_UNCOMMITTED]
    key = (tenant_id, generation)
    if key not in mine:
        mine[key] = _compute(tenant_id, generation, unit.session)
    return mine[key]


def _mark_uncommitted() -> None:
    unit = current()
    if _UNCOMMITTED not in unit.cache:
        unit.callbacks.insert(0, lambda: unit.cache.pop(_UNCOMMITTED, None))
    unit.cache[_UNCOMMITTED] = {}


def _compute(tenant_id: UUID, generation: int, here: Session | None = None) -> Enabled:
    with nullcontext(here) if here is not None else transaction() as fresh:
        known = effective.facts(fresh, tenant_id)
        hooks = select(InstalledPlugin.name, InstalledPlugin.hooks).where(
            InstalledPlugin.name.in_(registry.skipped)
        )
        installed = dict(fresh.execute(hooks).all()) if registry.skipped else {}
    plugins = {name: loaded.plugin for name, loaded in registry.loaded.items()}
    states = effective.states(plugins, known)
    on = frozenset(name for name, state in states.items() if state.on)
    wanted = frozenset(name for name, state in states.items() if state.wanted)
    missing = {
        name: (skipped.why, installed[name])
        for name, skipped in registry.skipped.items()
        if name in installed and _was_on(tenant_id, name)
    }
    key = (on, wanted)
    if missing or key not in _tables:
        table = compile_table(specs(), registry.implementations, on, wanted, missing)
        if missing:
            return Enabled(tenant_id, generation, on, states, table)
        _tables[key] = table
    return Enabled(tenant_id, generation, on, states, _tables[key])


def _was_on(tenant_id: UUID, plugin: str) -> bool:
    with transaction() as fresh:
        rows = select(PluginState.id).where(
            PluginState.tenant_id.in_((tenant_id, PLATFORM_ID)), PluginState.plugin == plugin
        )
        return fresh.scalar(rows.limit(1)) is not None


def forget() -> None:
    """Drop what this process has cached: it was bound to another database, or its plugins changed."""
    _cache.clear()
    _tables.clear()


def is_enabled(tenant_id: UUID | None, plugin: str) -> bool:
    """Is `plugin` effectively on for the organisation (None: for the platform)?"""
    return plugin in enabled(tenant_id or PLATFORM_ID).on


def effective_state(tenant_id: UUID, plugin: str) -> EffectiveState:
    """The state with its why. NotFound where no such plugin runs here."""
    states = enabled(tenant_id).states
    if plugin not in states:
        raise NotFound(f"There is no feature {plugin} here.")
    return states[plugin]


def hook_table() -> Table:
    """The table of the current unit's organisation; outside of one, the platform's."""
    unit = current_or_none()
    held = enabled(unit.tenant_id if unit and unit.tenant_id else PLATFORM_ID).table
    if unit is not None:
        unit.hook_table = held
    return held


def switch(
    tenant_id: UUID, plugin: str, *, on: bool, by: str, note: str = "", scopes: Iterable[str] = ()
) -> EffectiveState:
    """Set the owner's, the parent's or the staff's switch, in the caller's transaction. Audited by the caller's floor.

    An owner cannot switch on what is not granted; the refusal says what is missing.
    """
    unit = current()
    known = effective_state(tenant_id, plugin)
    missing = [c for c in known.conditions if not c.holds and c.name not in ("owner", "breaker")]
    if by == "owner" and on and missing:
        raise Conflict(
            f"You cannot switch this on: {missing[0].words}.", fix="See your plan, or ask support."
        )
    values = {
        "on": on,
        "person": unit.principal.name or "CHOM",
        "note": note[:200],
        "scopes": sorted(scopes),
        "at": clock.machine(),
    }
    statement = insert(PluginSwitch).values(tenant_id=tenant_id, plugin=plugin, by=by, **values)
    session().execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "plugin", "by"], set_=values)
    )
    after = refresh(tenant_id)[plugin]
    if tenant_id == PLATFORM_ID:
        refresh_everyone()
        _follow_platform(plugin, after.on)
    if after.on != known.on:
        facts = {"plugin": plugin, "on": after.on, "why": after.why}
        emit("feature.switched", subject=f"feature:{plugin}", payload=facts, tenant_id=tenant_id)
    return after


def unswitch(tenant_id: UUID, plugin: str, *, by: str) -> EffectiveState:
    """Take a switch away, so that the other conditions decide alone."""
    session().execute(
        delete(PluginSwitch).where(
            PluginSwitch.tenant_id == tenant_id, PluginSwitch.plugin == plugin, PluginSwitch.by == by
        )
    )
    after = refresh(tenant_id)[plugin]
    if tenant_id == PLATFORM_ID:
        refresh_everyone()
        _follow_platform(plugin, after.on)
    return after


def entitle(tenant_id: UUID, source: str, plugins: Iterable[str], label: str) -> None:
    """From now on `source` (a subscription item) grants exactly `plugins` to the organisation; none takes all away."""
    wanted = set(plugins)
    session().execute(
        delete(Entitlement).where(
            Entitlement.tenant_id == tenant_id,
            Entitlement.source == source,
            Entitlement.plugin.not_in(wanted),
        )
    )
    for plugin in sorted(wanted):
        row = insert(Entitlement).values(tenant_id=tenant_id, plugin=plugin, source=source, label=label)
        session().execute(
            row.on_conflict_do_update(index_elements=["tenant_id", "plugin", "source"], set_={"label": label})
        )
    refresh(tenant_id)


def refresh(tenant_id: UUID) -> dict[str, EffectiveState]:
    """Work the state out anew in the caller's transaction: new generation, `plugin_state` rows, and the turns.

    A turn is a job, so that a feature that fails to start never takes the payment that granted it with it.
    """
    here = session()
    here.flush()
    _mark_uncommitted()
    statement = update(Tenant).where(Tenant.id == tenant_id).values(generation=Tenant.generation + 1)
    generation = here.execute(statement.returning(Tenant.generation)).scalar()
    if generation is None:
        raise NotFound("This organisation does not exist.")
    known = effective.facts(here, tenant_id)
    plugins = {name: loaded.plugin for name, loaded in registry.loaded.items()}
    states = effective.states(plugins, known)
    before = set(here.scalars(select(PluginState.plugin).where(PluginState.tenant_id == tenant_id)))
    after = {name for name, state in states.items() if state.on}
    for plugin in sorted(after - before):
        row = insert(PluginState).values(tenant_id=tenant_id, plugin=plugin, changed_at=clock.machine())
        here.execute(row.on_conflict_do_nothing())
    loaded_gone = (before - after) & set(plugins)
    if loaded_gone:
        gone = PluginState.plugin.in_(loaded_gone)
        here.execute(delete(PluginState).where(PluginState.tenant_id == tenant_id, gone))
    for plugin in sorted((after - before) | loaded_gone):
        turn = {"plugin": plugin, "on": plugin in after, "why": states[plugin].why}
        enqueue("core.plugin_turn", turn, tenant_id=tenant_id, key=f"turn:{tenant_id}:{plugin}:{generation}")
    unit = current()
    if unit.tenant_id == tenant_id:
        unit.generation, unit.hook_table = generation, None
        _cache.pop(tenant_id, None)
    return states


def _follow_platform(plugin: str, on: bool) -> None:
    """A plugin of platform level has one switch: its events and schedules begin (or end) for every organisation."""
    loaded = registry.loaded.get(plugin)
    if loaded is None or loaded.plugin.level != "platform":
        return
    here, elsewhere = session(), PluginState.tenant_id != PLATFORM_ID
    if not on:
        here.execute(delete(PluginState).where(PluginState.plugin == plugin, elsewhere))
        return
    rows = [
        {"tenant_id": tenant_id, "plugin": plugin, "changed_at": clock.machine()}
        for tenant_id in here.scalars(select(Tenant.id).where(Tenant.id != PLATFORM_ID))
    ]
    if rows:
        here.execute(insert(PluginState).on_conflict_do_nothing(), rows)


def refresh_everyone() -> None:
    """A platform-wide switch changed: every organisation's cached state is stale."""
    _mark_uncommitted()
    session().execute(update(Tenant).where(Tenant.id != PLATFORM_ID).values(generation=Tenant.generation + 1))
