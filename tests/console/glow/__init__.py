"""A feature that organisations switch: rights, settings with a secret, a page, and a slot that fails when told to."""

from chom_core.plugin_host import NavItem, Plugin, Schedule, Scope

plugin = Plugin(
    name="glow",
    title="Glow",
    description="Makes things glow.",
    scopes=(Scope("glow:read", "See what glows"), Scope("glow:write", "Make things glow")),
    settings="Settings",
    nav=(NavItem("Glow", "glow.index", "bulb"),),
    schedules=(Schedule("nightly", "0 3 * * *", "glow.nightly"),),
)
