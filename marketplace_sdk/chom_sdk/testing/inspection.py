"""What the contract looks at: manifest, source, hooks, migrations, settings, rows. Each answers a list of faults."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from chom_core.database import PLATFORM_ID, acting_as, everyone, transaction
from chom_core.database.tenancy import fenced
from chom_core.hookspecs import specs
from chom_core.plugin_host import gate, lifecycle, registry, settings
from chom_core.plugin_host.manifest import room
from chom_core.plugin_host.registry import Loaded
from chom_core.values.errors import ChomError, Invalid
from chom_core.work.handlers import KINDS
from chom_core.work.schedules import served
from chom_sdk.testing.world import Organisation, World

_DML = re.compile(r"\s*(insert|update|delete|merge|truncate)\b", re.IGNORECASE)


def loaded(plugin: str) -> Loaded:
    """The plugin, or an AssertionError with the reason it was skipped."""
    if plugin in registry.skipped:
        raise AssertionError(f"{plugin} was skipped: {registry.skipped[plugin].why}")
    assert plugin in registry.loaded, f"{plugin} is not installed in this environment; pip install -e it"
    return registry.loaded[plugin]


def faults_of_manifest(app: Flask, plugin: str) -> list[str]:
    found = loaded(plugin)
    room(found.package, "jobs")
    faults = [f"nav names {i.endpoint}" for i in found.plugin.nav if i.endpoint not in app.view_functions]
    jobs = [*found.plugin.events.values(), *(schedule.job for schedule in found.plugin.schedules)]
    faults += [f"there is no job {kind}" for kind in jobs if kind not in KINDS]
    faults += [
        f"the text {n!r} is empty" for n in ("title", "description") if not str(getattr(found.plugin, n))
    ]
    if not any((folder / "README.md").exists() for folder in (found.folder, found.folder.parent)):
        faults.append("there is no README.md")
    return faults


def faults_of_source(plugin: str) -> list[str]:
    folder = loaded(plugin).folder
    faults = [
        f for file in sorted(folder.rglob("*.py")) if "migrations" not in file.parts for f in _imports(file)
    ]
    for template in sorted(folder.rglob("*.html")):
        source = template.read_text()
        if re.search(r"\|\s*safe\b|autoescape\s+false", source):
            faults.append(f"{template.name} marks something safe")
        if re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|javascript:", source):
            faults.append(f"{template.name} has inline script, which the content policy blocks")
    return faults


def _imports(file: Path) -> list[str]:
    faults = []
    for node in ast.walk(ast.parse(file.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if any(name.split(".")[0] == "chom_core" for name in names):
            faults.append(f"{file.name}:{node.lineno} imports chom_core; chom_sdk is the only door")  # type: ignore[attr-defined]
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "text" and node.args:
            words = node.args[0]
            if isinstance(words, ast.Constant) and isinstance(words.value, str) and _DML.match(words.value):
                faults.append(f"{file.name}:{node.lineno} writes by text(), which no guard sees")
    return faults


def faults_of_hooks(plugin: str) -> list[str]:
    hooks = loaded(plugin).rooms.get("hooks")
    faults = []
    for name in loaded(plugin).hooks:
        function = getattr(hooks, name)
        parameters = list(inspect.signature(function).parameters.values())
        wanted = specs()[name].argument.__name__
        if len(parameters) != 1:
            faults.append(f"{name} takes {len(parameters)} arguments")
        elif str(parameters[0].annotation).rsplit(".", 1)[-1].strip("'>") != wanted:
            faults.append(f"{name} annotates {parameters[0].annotation}, the specification {wanted}")
    return faults


def faults_of_migrations(plugin: str, owner_url: str) -> list[str]:
    line = lifecycle.history(loaded(plugin))
    if line is None:
        return []
    line.downgrade(owner_url)
    owner = create_engine(owner_url, poolclass=NullPool)
    with owner.connect() as connection:
        left = connection.exec_driver_sql(
            "select tablename from pg_tables where schemaname = %s and tablename <> 'alembic_version'",
            (line.schema,),
        ).scalars()
        faults = [f"{table} is left after downgrading" for table in left]
    line.upgrade(owner_url)
    with owner.connect() as connection:
        faults += line.differences(connection)
    owner.dispose()
    return faults


def disable_everywhere(chom: World, plugin: str) -> None:
    """A plugin of platform level has one switch, the staff's."""
    if loaded(plugin).plugin.level == "platform":
        with chom.staff():
            gate.switch(PLATFORM_ID, plugin, on=False, by="staff")


def enable_for_staff(chom: World, plugin: str) -> None:
    """Staff work in the platform's own organisation; a plugin's pages for staff are on where it is on there."""
    with chom.staff():
        gate.switch(PLATFORM_ID, plugin, on=True, by="staff", note="in a test")


def active_surfaces(chom: World, tenant_id: UUID, plugin: str) -> list[str]:
    """What would still run for the organisation: hooks, schedules, the right to run jobs."""
    held = gate.enabled(tenant_id)
    names = list(specs())
    active = [
        f"hook {names[i]}"
        for i, row in enumerate(held.table)
        for name, _function, _totals in row
        if name == plugin
    ]
    with chom.staff():
        active += [f"schedule {due.name}" for due in served(tenant_id) if due.plugin == plugin]
    return active + ([f"jobs of {plugin}"] if gate.is_enabled(tenant_id, plugin) else [])


def owner_of_settings(organisation: Organisation, plugin: str) -> AbstractContextManager[Session]:
    """A unit of whoever sets the plugin's settings: the organisation, or the platform for a plugin of its level."""
    if loaded(plugin).plugin.level == "platform":
        return transaction(PLATFORM_ID)
    return organisation.acting()


def faults_of_settings(plugin: str, valid: Mapping[str, Any] | None) -> list[str]:
    schema = settings.schema(plugin)
    if schema is None:
        return []
    if valid is None:
        return ["it has settings: give the contract a valid set of them"]
    faults = []
    with acting_as(plugin):
        settings.write(plugin, valid)
        kept = settings.read(plugin)
    faults += [
        f"{name} came back as {kept.get(name)!r}"
        for name in valid
        if kept.get(name) != schema.load(valid)[name]
    ]
    shown, _stored = settings.shown(plugin)
    faults += [f"the secret {name} is shown" for name in settings.secrets(schema) if name in shown]
    try:
        settings.write(plugin, {"no_such_setting_": "x"})
        faults.append("it takes settings that it does not know")
    except (Invalid, ChomError):
        pass
    return faults + ([] if settings.read(plugin) == kept else ["a refused write changed something"])


def rows_of(plugin: str, tenant_id: UUID) -> dict[str, int]:
    """How many rows the organisation has in each of the plugin's tables, and a hash of them; empty tables left out."""
    line = lifecycle.history(loaded(plugin))
    found = {}
    with everyone("contract: count rows") as here:
        for item in fenced(line.base) if line else ():
            if item.tenancy == "tenant":
                rows = here.execute(select(item.table).where(item.table.c.tenant_id == tenant_id)).all()
                if rows:
                    found[item.table.name] = hash(str(sorted(map(str, rows))))
    return found
