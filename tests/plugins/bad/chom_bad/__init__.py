"""A plugin that misbehaves on request."""

from chom_sdk import Plugin

plugin = Plugin(name="bad", title="Bad", description="Raises, hangs, leaks, floods, writes where it may not.")
