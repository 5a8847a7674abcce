"""Lifecycle: a plugin's own turns, asked of that plugin alone. These hooks may write the plugin's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chom_core.hookspecs.marker import hook
from chom_core.values.lifecycle import Erasure, Exporting, Turn


@hook(fail="closed", writes=True)
def plugin_enabled(turn: Turn) -> None:
    """The plugin has just become effective for `turn.tenant_id`: make what it needs there. Must be repeatable."""


@hook(fail="open", writes=True)
def plugin_disabled(turn: Turn) -> None:
    """The plugin has just ceased to be effective for `turn.tenant_id`. Data stays; stop what costs."""


@hook(fail="closed")
def plugin_export(export: Exporting) -> Mapping[str, list[dict[str, Any]]] | None:
    """The organisation's data, by table name, as JSON values: for an export, and before an uninstall drops it."""


@hook(fail="closed", writes=True)
def plugin_erase_tenant(erasure: Erasure) -> None:
    """The organisation is being erased: remove what the plugin keeps of it *outside* its own tenant tables.

    Rows of the plugin's tenant tables are removed by the kernel.
    """
