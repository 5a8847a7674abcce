"""A plugin's settings in an organisation: validated by its marshmallow schema, secrets encrypted, never shown again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError
from sqlalchemy import select

from chom_core.database import PLATFORM_ID, acting_as, session, transaction
from chom_core.plugin_host.manifest import room
from chom_core.plugin_host.models import PluginSettings
from chom_core.plugin_host.registry import registry
from chom_core.values.errors import Invalid, NotFound


def schema(plugin: str) -> Schema | None:
    """The plugin's settings schema, or None where it has none. Secret fields carry `metadata={"secret": True}`."""
    loaded = registry.loaded.get(plugin)
    if loaded is None:
        raise NotFound(f"There is no feature {plugin} here.")
    if not loaded.plugin.settings:
        return None
    module = room(loaded.package, "schemas")
    found: Schema = getattr(module, loaded.plugin.settings)()
    return found


def secrets(of: Schema) -> frozenset[str]:
    """The names of the schema's secret fields."""
    return frozenset(name for name, item in of.fields.items() if item.metadata.get("secret"))


def read(plugin: str, tenant_id: UUID | None = None) -> dict[str, Any]:
    """The settings in force, secrets in clear, defaults filled in: for the plugin's own code."""
    found = schema(plugin)
    if found is None:
        return {}
    stored = _stored(plugin, _owner(plugin, tenant_id))
    loaded: dict[str, Any] = found.load(stored, partial=True)
    defaults = {
        name: item.load_default() if callable(item.load_default) else item.load_default
        for name, item in found.fields.items()
        if name not in loaded and item.load_default is not None and "missing" not in repr(item.load_default)
    }
    return defaults | loaded


def shown(plugin: str, tenant_id: UUID | None = None) -> tuple[dict[str, Any], frozenset[str]]:
    """For a form: the plain values, and which secrets are stored; never a secret."""
    found = schema(plugin)
    if found is None:
        return {}, frozenset()
    hidden = secrets(found)
    stored = _stored(plugin, _owner(plugin, tenant_id))
    return {k: v for k, v in stored.items() if k not in hidden}, frozenset(stored.keys() & hidden)


def write(plugin: str, data: Mapping[str, Any], tenant_id: UUID | None = None) -> None:
    """Validate and store `data`, in the caller's transaction. An empty secret keeps the one that is stored.

    Raises Invalid with a message per field; nothing is written then.
    """
    found = schema(plugin)
    if found is None:
        raise NotFound(f"The feature {plugin} has no settings.")
    owner, hidden = _owner(plugin, tenant_id), secrets(found)
    stored = _stored(plugin, owner)
    kept = {name: stored[name] for name in hidden if name in stored and not data.get(name)}
    given = {name: value for name, value in data.items() if not (name in hidden and not value)}
    try:
        valid = found.load(given | kept)
    except ValidationError as error:
        raise Invalid(fields=_messages(error)) from None
    dumped: dict[str, Any] = json.loads(found.dumps(valid))
    with acting_as("core"):
        row = session().scalar(_query(plugin, owner))
        if row is None:
            row = PluginSettings(tenant_id=owner, plugin=plugin)
            session().add(row)
        row.values = {name: value for name, value in dumped.items() if name not in hidden}
        row.secrets = json.dumps({name: value for name, value in dumped.items() if name in hidden})
        session().flush()


def _messages(error: ValidationError) -> dict[str, list[str]]:
    messages = error.normalized_messages()
    return {
        name: [str(m) for m in (found if isinstance(found, list) else [found])]
        for name, found in messages.items()
    }


def _owner(plugin: str, tenant_id: UUID | None) -> UUID:
    from chom_core.database import current

    if registry.loaded[plugin].plugin.level == "platform":
        return PLATFORM_ID
    owner = tenant_id or current().tenant_id
    if owner is None:
        raise RuntimeError("settings of a tenant's plugin need an organisation")
    return owner


def _query(plugin: str, owner: UUID) -> Any:
    return select(PluginSettings).where(PluginSettings.tenant_id == owner, PluginSettings.plugin == plugin)


def _stored(plugin: str, owner: UUID) -> dict[str, Any]:
    from chom_core.database.unit import current_or_none

    unit = current_or_none()
    if unit is not None and unit.tenant_id == owner:
        row = unit.session.scalar(_query(plugin, owner))
    else:
        with transaction(owner) as fresh:
            row = fresh.scalar(_query(plugin, owner))
    if row is None:
        return {}
    return {**row.values, **(json.loads(row.secrets) if row.secrets else {})}
