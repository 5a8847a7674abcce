"""The menu: what the core's domains add at import, and what enabled plugins state in their manifests."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from flask import current_app, request, url_for

from chom_core.database.unit import current_or_none
from chom_core.plugin_host import NavItem, gate, registry
from chom_core.values.access import ROLES
from chom_core.values.principal import Principal, StaffRole
from chom_core.web.layout import NavEntry, NavSection

_core: list[NavItem] = []
#: The headings of the sidebar, in order; "" is the part without one.
SECTIONS = ("", "Hosting", "Money", "Organisation", "Developer", "Staff")


def add(*items: NavItem) -> None:
    """A domain of the core puts `items` into the menu, at import."""
    _core.extend(item for item in items if item not in _core)


def sections() -> list[NavSection]:
    """The menu for the current person in the current organisation: only what they may open, only what is on."""
    unit = current_or_none()
    if unit is None or unit.principal.kind == "anonymous":
        return []
    on = gate.enabled(unit.tenant_id).on if unit.tenant_id else frozenset()
    items = [item for item in _items(on) if _may(unit.principal, item.access)]
    here = request.endpoint or ""
    named: dict[str, list[NavEntry]] = {}
    for item in items:
        active = here == item.endpoint or here.startswith(item.endpoint.rsplit(".", 1)[0] + ".")
        entry = NavEntry(
            str(item.label), _address(item.endpoint), item.icon, active and here == item.endpoint
        )
        named.setdefault(item.section, []).append(entry)
    order = [*SECTIONS, *sorted(named.keys() - set(SECTIONS))]
    return [NavSection(named[name], name) for name in order if name in named]


def _address(endpoint: str) -> str:
    return url_for(endpoint) if endpoint in current_app.view_functions else "/"


@lru_cache(maxsize=512)
def _items(on: frozenset[str]) -> tuple[NavItem, ...]:
    theirs: Iterable[NavItem] = (
        item for name, loaded in registry.loaded.items() if name in on for item in loaded.plugin.nav
    )
    return tuple(sorted((*_core, *theirs), key=lambda item: item.weight))


def _may(who: Principal, access: str) -> bool:
    if access == "staff":
        return who.is_staff
    if access == "staff_admin":
        return who.staff_role is StaffRole.ADMIN
    return access in ("public", "person") or who.role in ROLES[access]


def forget(tenant_id: UUID | None = None) -> None:
    """For tests that load plugins after the first page was drawn."""
    _items.cache_clear()
