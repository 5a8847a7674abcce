"""The menu: what the core's domains add at import, and what enabled plugins state in their manifests."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from flask import Flask, current_app, request, url_for
from flask_babel import get_locale

from chom_core.database import PLATFORM_ID
from chom_core.database.unit import current_or_none
from chom_core.plugin_host import NavItem, gate, registry
from chom_core.values.access import ROLES
from chom_core.values.principal import Role, StaffRole
from chom_core.web.layout import NavEntry, NavSection

_core: list[NavItem] = []
#: The headings of the sidebar, in order; "" is the part without one.
SECTIONS = ("", "Hosting", "Money", "Organisation", "Developer", "Staff")


def add(*items: NavItem) -> None:
    """A domain of the core puts `items` into the menu, at import."""
    _core.extend(item for item in items if item not in _core)


def sections() -> tuple[NavSection, ...]:
    """The menu for the current person in the current organisation: only what they may open, only what is on."""
    unit = current_or_none()
    if unit is None or unit.principal.kind == "anonymous":
        return ()
    on = gate.enabled(unit.tenant_id).on if unit.tenant_id else frozenset()
    who = unit.principal
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    resells = who.tenant_id == unit.tenant_id == unit.reseller_id != PLATFORM_ID
    return _drawn(app, on, resells, who.role, who.staff_role, request.endpoint or "", str(get_locale()))


@lru_cache(maxsize=4096)
def _drawn(
    _app: Flask,
    on: frozenset[str],
    resells: bool,
    role: Role | None,
    staff_role: StaffRole | None,
    here: str,
    _locale: str,
) -> tuple[NavSection, ...]:
    """The menu of everybody who sees the same one: some twenty translations and addresses a page."""
    items = [
        item for item in _items(on) if _may(role, staff_role, item.access) and (resells or not item.resellers)
    ]
    named: dict[str, list[NavEntry]] = {}
    for item in items:
        # its own page, or one below it
        active = here == item.endpoint or here.startswith(f"{item.endpoint}_")
        entry = NavEntry(str(item.label), _address(item.endpoint), item.icon, active)
        named.setdefault(item.section, []).append(entry)
    order = [*SECTIONS, *sorted(named.keys() - set(SECTIONS))]
    return tuple(NavSection(tuple(named[name]), name) for name in order if name in named)


def _address(endpoint: str) -> str:
    return url_for(endpoint) if endpoint in current_app.view_functions else "/"


@lru_cache(maxsize=512)
def _items(on: frozenset[str]) -> tuple[NavItem, ...]:
    theirs: Iterable[NavItem] = (
        item for name, loaded in registry.loaded.items() if name in on for item in loaded.plugin.nav
    )
    return tuple(sorted((*_core, *theirs), key=lambda item: item.weight))


def _may(role: Role | None, staff_role: StaffRole | None, access: str) -> bool:
    if access == "staff":
        return staff_role is not None
    if access == "staff_admin":
        return staff_role is StaffRole.ADMIN
    return access in ("public", "person") or role in ROLES[access]


def forget() -> None:
    """For tests that load plugins after the first page was drawn."""
    _items.cache_clear()
    _drawn.cache_clear()
