"""Sites on this machine: real WordPress and static pages as supervised, unprivileged processes on loopback."""

from __future__ import annotations

from chom_sdk import Plugin

plugin = Plugin(
    name="local_node",
    title="Sites on this machine",
    description="Real WordPress and static sites as processes of this machine, for the demo and for development.",
    level="platform",
    on_by_default=True,
)
