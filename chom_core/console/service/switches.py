"""Switching features, always audited: who, when, for whom, with which note. The floor below does the switching."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.audit import Subject, record
from chom_core.database import PLATFORM_ID, Tenant, session
from chom_core.plugin_host import Plugin, breaker, gate, registry, settings
from chom_core.plugin_host.effective import EffectiveState
from chom_core.plugin_host.models import Breaker, PluginSwitch
from chom_core.values.errors import Conflict, Invalid, NotFound


def manifest(name: str) -> Plugin:
    """What a plugin that runs here says of itself; NotFound where none of that name does."""
    if name not in registry.loaded:
        raise NotFound(_("There is no feature %(name)s here.", name=name), fix=_("Choose one of the list."))
    return registry.loaded[name].plugin


def state(tenant_id: UUID, name: str) -> EffectiveState:
    """The effective state in an organisation, with its why."""
    return gate.effective_state(tenant_id, name)


def owner_switch(
    tenant_id: UUID, name: str, *, on: bool, note: str = "", scopes: Collection[str] = ()
) -> EffectiveState:
    """The organisation's own switch. Switching on consents to every right the feature asks for, or is refused."""
    plugin = own(name)
    missing = [scope.title for scope in plugin.scopes if scope.name not in scopes]
    if on and missing:
        words = _("To switch it on, allow what it asks for: %(rights)s.", rights="; ".join(missing))
        raise Invalid(words, fields={"scopes": [words]})
    return _switch(tenant_id, plugin, on=on, by="owner", note=note, scopes=scopes if on else ())


def staff_switch(tenant_id: UUID, name: str, *, on: bool, note: str) -> EffectiveState:
    """The staff's switch for one organisation: it stands above plan and add-on. The note says why, for the log."""
    plugin = manifest(name)
    if plugin.level == "platform":
        raise Conflict(
            _("%(title)s is switched for everyone at once.", title=plugin.title),
            fix=_("Use the switch on its own page."),
        )
    return _switch(tenant_id, plugin, on=on, by="staff", note=_noted(note))


def unswitch(tenant_id: UUID, name: str, *, note: str) -> EffectiveState:
    """Take the staff's switch away: plan, add-on and the owner decide again."""
    plugin, noted = manifest(name), _noted(note)
    before = decision(tenant_id, name, "staff")
    if before is None:
        raise Conflict(_("Staff have set nothing here."), fix=_("Reload the page."))
    was = {"on": before.on, "by": "staff"}
    after = gate.unswitch(tenant_id, name, by="staff")
    record(
        "plugin.switch_removed", _subject(plugin), before=was, after={"effective": after.on}, reason=noted,
        tenant_id=tenant_id,
    )  # fmt: skip
    return after


def platform_switch(name: str, *, on: bool, note: str) -> EffectiveState:
    """For everyone: switches a platform-level plugin; stops any other everywhere, or lets it go on where it was."""
    plugin, noted = manifest(name), _noted(note)
    if plugin.level == "platform" or not on:
        return _switch(PLATFORM_ID, plugin, on=on, by="staff", note=noted)
    if stopped(name) is None:
        raise Conflict(_("%(title)s is not stopped.", title=plugin.title), fix=_("Reload the page."))
    return unswitch(PLATFORM_ID, name, note=noted)


def stopped(name: str) -> PluginSwitch | None:
    """The decision that stops a tenant's or reseller's plugin for everyone, if there is one."""
    found = decision(PLATFORM_ID, name, "staff")
    return found if found is not None and not found.on else None


def reset(tenant_id: UUID, name: str) -> None:
    """Close a tripped breaker by hand: the plugin is asked again at once."""
    plugin = manifest(name)
    row = session().scalar(select(Breaker).where(Breaker.tenant_id == tenant_id, Breaker.plugin == name))
    if row is None:
        raise NotFound(_("It is not tripped any more."), fix=_("Reload the page."))
    before = {"state": row.state, "trips": row.trips, "error": row.error}
    session().expunge(row)
    breaker.reset(tenant_id, name)
    record("plugin.breaker_reset", _subject(plugin), before=before, tenant_id=tenant_id)


def save_settings(name: str, values: Mapping[str, Any], tenant_id: UUID) -> None:
    """Store a plugin's settings for `tenant_id` (the platform's for a platform-level plugin), in a unit of it.

    The log says what changed; of secrets only that they did.
    """
    plugin, schema = manifest(name), settings.schema(name)
    if schema is None:
        raise NotFound(_("%(title)s has no settings.", title=plugin.title))
    hidden = settings.secrets(schema)
    before, _stored = settings.shown(name, tenant_id)
    plain = {key: value for key, value in schema.dump(values).items() if key in values}
    settings.write(name, plain | {key: values[key] for key in hidden if key in values}, tenant_id)
    now, _stored = settings.shown(name, tenant_id)
    changed = {key for key in now if now.get(key) != before.get(key)}
    record(
        "plugin.settings_changed",
        _subject(plugin),
        before={key: before.get(key) for key in changed},
        after={key: now[key] for key in changed} | {key: "•••" for key in hidden if values.get(key)},
        tenant_id=tenant_id,
    )


def own(name: str) -> Plugin:
    """The manifest of a feature that organisations themselves decide about; platform plugins are none of theirs."""
    plugin = manifest(name)
    if plugin.level == "platform":
        raise NotFound(_("There is no feature %(name)s here.", name=name), fix=_("Choose one of the list."))
    return plugin


def decision(tenant_id: UUID, name: str, by: str) -> PluginSwitch | None:
    """Who switched it there, and how: `by` is owner, parent or staff."""
    query = select(PluginSwitch).where(
        PluginSwitch.tenant_id == tenant_id, PluginSwitch.plugin == name, PluginSwitch.by == by
    )
    return session().scalar(query.execution_options(populate_existing=True))


def decisions(tenant_id: UUID) -> dict[tuple[str, str], PluginSwitch]:
    """Every decision in an organisation, by (plugin, by)."""
    found = session().scalars(select(PluginSwitch).where(PluginSwitch.tenant_id == tenant_id))
    return {(row.plugin, row.by): row for row in found}


def _switch(
    tenant_id: UUID, plugin: Plugin, *, on: bool, by: str, note: str, scopes: Collection[str] = ()
) -> EffectiveState:
    if session().get(Tenant, tenant_id) is None:
        raise NotFound(_("This organisation does not exist."))
    was = decision(tenant_id, plugin.name, by)
    before = {"on": was.on, "by": by} if was else None
    after = gate.switch(tenant_id, plugin.name, on=on, by=by, note=note, scopes=scopes)
    told: dict[str, Any] = {"on": on, "by": by, "effective": after.on}
    if scopes:
        told["consented"] = sorted(scopes)
    action = "plugin.switched_on" if on else "plugin.switched_off"
    record(action, _subject(plugin), before=before, after=told, reason=note, tenant_id=tenant_id)
    return after


def _subject(plugin: Plugin) -> Subject:
    return Subject("plugin", plugin.name, str(plugin.title))


def _noted(note: str) -> str:
    note = " ".join(note.split())[:200]
    if not note:
        words = _("Say why: the log and the organisation's page show it.")
        raise Invalid(words, fields={"note": [words]})
    return note
