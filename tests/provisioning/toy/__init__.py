"""A plugin for the tests: a driver whose outside world is a folder, so that every effect can be counted."""

from __future__ import annotations

from chom_core.plugin_host import Plugin

plugin = Plugin(
    name="toy",
    title="Toy",
    description="Services as files in a folder.",
    level="platform",
    plans=("starter", "pro", "enterprise"),
    on_by_default=True,
)
