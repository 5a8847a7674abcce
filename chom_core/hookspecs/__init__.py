"""The extension surface, whole: what plugins can answer. Sections: billing, provisioning, notifications, branding, ui.

A hook is a typed function with one frozen dataclass as its argument and a docstring that says who asks, when, and
what an answer means. New fields on the dataclass break nobody. `since` and `deprecated` are part of the contract.
"""

from chom_core.hookspecs.marker import HookSpec, hook, hookimpl, specs

__all__ = ["HookSpec", "hook", "hookimpl", "specs"]
