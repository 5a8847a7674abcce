"""A plugin that brings a channel, a notification type and a brand; for the tests of both floors."""

from chom_core.plugin_host import Plugin
from chom_core.values.notifications import NotificationType

plugin = Plugin(
    name="herald",
    title="Herald",
    description="Tells things by pigeon.",
    notifications=(NotificationType("herald.landed", "A pigeon landed", channels=("inbox", "pigeon")),),
)
