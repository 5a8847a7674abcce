"""Slots in templates: `{{ slot('service_overview', service_id=…, kind=…, name=…) }}`.

A panel that fails, in the hook or while it is drawn, becomes a card with the plugin's name for staff, owners and
admins, and nothing for everyone else; the page around it stays whole.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import render_template
from markupsafe import Markup

from chom_core.database import acting_as, savepoint
from chom_core.database.unit import current_or_none
from chom_core.hookspecs import specs
from chom_core.plugin_host import breaker, hooks, registry
from chom_core.values.principal import Role
from chom_core.values.ui import Panel

log = logging.getLogger(__name__)


def slot(place: str, **facts: Any) -> Markup:
    """Every panel for `place`, by weight. `facts` are the fields of the slot's argument; the organisation is known."""
    name = f"slot_{place}"
    spec = specs()[name]
    unit = current_or_none()
    answers = getattr(hooks, name)(spec.argument(tenant_id=unit.tenant_id if unit else None, **facts))
    drawn: list[tuple[int, str, Markup]] = []
    for plugin, panel, error in answers:
        if error is not None:
            drawn.append((100, plugin, _card(plugin, error)))
        elif isinstance(panel, Panel):
            drawn.append((panel.weight, plugin, _draw(plugin, panel, name)))
    return Markup("").join(markup for _, _, markup in sorted(drawn, key=lambda item: item[:2]))


def _draw(plugin: str, panel: Panel, place: str) -> Markup:
    unit = current_or_none()
    try:
        with acting_as(plugin, writes=False):
            markup = Markup(render_template(panel.template, **panel.context))  # noqa: S704 (autoescaped)
            if unit is not None:
                savepoint.settle(unit, writes=False)
            return markup
    except Exception as error:
        if unit is not None:
            savepoint.undo(unit)
        log.exception("panel of %s in %s failed", plugin, place)
        breaker.count(plugin, f"{place}: {type(error).__name__}: {error}")
        return _card(plugin, error)


def _card(plugin: str, error: Exception) -> Markup:
    unit = current_or_none()
    who = unit.principal if unit else None
    if who is None or not (who.is_staff or who.role in (Role.OWNER, Role.ADMIN)):
        return Markup("")
    loaded = registry.loaded.get(plugin)
    detail = f"{type(error).__name__}: {error}" if who.is_staff else ""
    return Markup(  # noqa: S704 (autoescaped)
        render_template("slot_error.html", title=loaded.plugin.title if loaded else plugin, detail=detail)
    )
