"""A plugin of the whole platform, with settings."""

from chom_core.plugin_host import Plugin

plugin = Plugin(
    name="beacon",
    title="Beacon",
    description="Lights the way for all.",
    level="platform",
    settings="Settings",
)
