"""A plugin's life here: install (schema, then its rows), upgrade, turns per organisation, export, erase, uninstall."""

from __future__ import annotations

import re
from collections.abc import Container
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from chom_core.database import acting_as, clock, everyone, session, transaction
from chom_core.database.migrations import History
from chom_core.database.tenancy import fenced
from chom_core.plugin_host import gate, manifest
from chom_core.plugin_host.dispatch import Implementation
from chom_core.plugin_host.models import (
    Breaker,
    Entitlement,
    InstalledPlugin,
    PluginSettings,
    PluginSwitch,
)
from chom_core.plugin_host.registry import Loaded, registry
from chom_core.values.errors import Conflict
from chom_core.values.lifecycle import Erasure, Exporting, Turn
from chom_core.work import Job, PluginState, ScheduleSpec, Subscription, job, subscribe
from chom_core.work.handlers import KINDS
from chom_core.work.schedules import install as install_schedules

_REVISION = re.compile(r'^revision\s*(?::\s*str)?\s*=\s*["\']([^"\']+)', re.MULTILINE)
_BEFORE = re.compile(r'^down_revision\s*(?::[^=]*)?=\s*["\']([^"\']+)', re.MULTILINE)


def history(loaded: Loaded) -> History | None:
    """The plugin's line of migrations; None where it keeps no tables."""
    models = loaded.rooms.get("models") or manifest.room(loaded.package, "models")
    if models is None:
        return None
    base = models.Base
    if base.metadata.schema != loaded.plugin.schema:
        raise ValueError(f"its models live in {base.metadata.schema}, not in {loaded.plugin.schema}")
    return History(loaded.plugin.name, base, loaded.folder / "migrations")


def code_head(folder: Path) -> str:
    """The newest revision in a migrations folder, read as text: a boot must not import forty plugins' histories."""
    found: set[str] = set()
    before: set[str] = set()
    for file in folder.glob("*.py"):
        source = file.read_text()
        found.update(_REVISION.findall(source))
        before.update(_BEFORE.findall(source))
    heads = found - before
    if len(heads) > 1:
        raise ValueError(f"its migrations have {len(heads)} heads")
    return heads.pop() if heads else ""


def absent(installed: Container[str], name: str) -> str:
    """Why a process must not even import the plugin: its code lies here, and nobody installed it."""
    return "" if name in installed else f"it is not installed; run `chom plugin install {name}`"


def unfit(installed: dict[str, str], loaded: Loaded) -> str:
    """Why a process must leave the plugin out: it is not installed, or its schema is not at its code's head."""
    name = loaded.plugin.name
    if name not in installed:
        return absent(installed, name)
    head = code_head(loaded.folder / "migrations")
    if installed[name] != head:
        return f"its schema is at {installed[name] or 'nothing'}, its code at {head}; run `chom migrate`"
    return ""


def installed_heads() -> dict[str, str]:
    """Every installed plugin with its schema's revision."""
    with transaction() as here:
        return dict(here.execute(select(InstalledPlugin.name, InstalledPlugin.head)).all())


def install(loaded: Loaded, owner_url: str) -> None:
    """Make or upgrade the plugin's schema as the owner, then its rows. Running it again changes nothing."""
    line = history(loaded)
    if line is not None:
        line.upgrade(owner_url)
    plugin = loaded.plugin
    values = {
        "version": loaded.version,
        "level": plugin.level,
        "head": code_head(loaded.folder / "migrations"),
        "hooks": list(loaded.hooks),
        "scopes": [scope.name for scope in plugin.scopes],
        "updated_at": clock.machine(),
    }
    with transaction():
        row = insert(InstalledPlugin).values(name=plugin.name, created_at=clock.machine(), **values)
        session().execute(row.on_conflict_do_update(index_elements=["name"], set_=values))
        _register(loaded)
    with transaction():
        gate.refresh_everyone()


def _register(loaded: Loaded) -> None:
    plugin = loaded.plugin
    subscribe(plugin.name, [_subscription(event, kind) for event, kind in plugin.events.items()])
    specs = []
    for item in plugin.schedules:
        kind = KINDS.get(item.job)
        pool = kind.pool if kind else "default"
        specs.append(
            ScheduleSpec(f"{plugin.name}.{item.name}", item.job, item.cron, item.zone, item.per, pool)
        )
    install_schedules(plugin.name, specs)


def _subscription(event: str, kind: str) -> Subscription:
    known = KINDS.get(kind)
    return Subscription(event, kind, known.pool if known else "default", known.attempts if known else 5)


@job("core.plugin_turn")
def turn(current: Job) -> None:
    """Tell a plugin that it was switched on or off for an organisation."""
    args = current.args
    name = "plugin_enabled" if args["on"] else "plugin_disabled"
    if args["on"] != gate.is_enabled(current.tenant_id, args["plugin"]):
        return
    assert current.tenant_id is not None
    _ask(args["plugin"], name, Turn(args["plugin"], current.tenant_id, args["why"]), writes=True)


def _ask(plugin: str, hook: str, argument: Any, *, writes: bool = False) -> Any:
    """One plugin's own answer to a lifecycle hook."""
    found: list[Implementation] = [i for i in registry.implementations.get(hook, ()) if i.plugin == plugin]
    if not found:
        return None
    session().flush()
    with acting_as(plugin, writes=writes):
        answer = found[0].function(argument)
        session().flush()
    return answer


def export(plugin: str, tenant_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """The organisation's data in a plugin: its own answer, or every row of its tenant tables."""
    answer = _ask(plugin, "plugin_export", Exporting(plugin, tenant_id))
    if answer is not None:
        return dict(answer)
    line = history(registry.loaded[plugin])
    tables = [item.table for item in fenced(line.base) if item.tenancy == "tenant"] if line else []
    return {
        table.name: [
            {
                c.name: _plain(row[i])
                for i, c in enumerate(table.columns)
                if c.type.__class__.__name__ != "Encrypted"
            }
            for row in session().execute(select(table).where(table.c.tenant_id == tenant_id))
        ]
        for table in tables
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, list, dict, type(None))) else str(value)


def erase_tenant(tenant_id: UUID) -> None:
    """Remove every plugin's rows of an organisation; runs in a unit of that organisation."""
    for name, loaded in registry.loaded.items():
        _ask(name, "plugin_erase_tenant", Erasure(name, tenant_id), writes=True)
        line = history(loaded)
        for item in fenced(line.base) if line else ():
            if item.tenancy == "tenant":
                with acting_as(name):
                    session().execute(delete(item.table).where(item.table.c.tenant_id == tenant_id))


def uninstall(name: str, owner_url: str) -> dict[UUID, dict[str, list[dict[str, Any]]]]:
    """Export every organisation's data, then drop the schema and the rows. The export is the answer: keep it.

    Raises Conflict while another plugin requires this one.
    """
    needed = [n for n, other in registry.loaded.items() if name in other.plugin.requires]
    if needed:
        raise Conflict(f"{', '.join(needed)} requires {name}.", fix=f"Uninstall {needed[0]} first.")
    loaded = registry.loaded[name]
    line = history(loaded)
    kept: dict[UUID, dict[str, list[dict[str, Any]]]] = {}
    with everyone(f"uninstall {name}: who used it") as here:
        users = list(
            here.scalars(select(PluginSwitch.tenant_id).where(PluginSwitch.plugin == name).distinct())
        )
        tables = [item.table for item in fenced(line.base) if item.tenancy == "tenant"] if line else []
        for table in tables:
            users += here.scalars(select(table.c.tenant_id).distinct())
    for tenant_id in set(users):
        with transaction(tenant_id):
            kept[tenant_id] = export(name, tenant_id)
    with transaction() as here:
        here.execute(delete(InstalledPlugin).where(InstalledPlugin.name == name))
        for model in (PluginSwitch, Entitlement, Breaker, PluginState):
            here.execute(delete(model).where(model.__table__.c.plugin == name))
        subscribe(name, ())
        install_schedules(name, ())
        gate.refresh_everyone()
    with everyone(f"uninstall {name}: its settings") as here:
        here.execute(delete(PluginSettings).where(PluginSettings.plugin == name))
    if line is not None:
        line.drop(owner_url)
    return kept


def danglers() -> dict[str, int]:
    """Rows of plugins' tenant tables whose organisation is gone, by table: `chom doctor` shows and sweeps them."""
    found = {}
    with everyone("doctor: rows without an organisation") as here:
        for loaded in registry.loaded.values():
            line = history(loaded)
            for item in fenced(line.base) if line else ():
                if item.tenancy != "tenant":
                    continue
                name = f'"{item.table.schema}"."{item.table.name}"'
                query = f"select count(*) from {name} x where not exists (select from core.tenant t where t.id = x.tenant_id)"  # noqa: S608, E501
                count = here.execute(text(query)).scalar_one()
                if count:
                    found[item.table.fullname] = count
    return found
