"""The plugin host: manifest, discovery, dispatch, gate, lifecycle, settings, breaker.

`hooks.<name>(argument)` asks every plugin that is on for the current organisation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chom_core.plugin_host.dispatch import Answer, HookCaller
from chom_core.plugin_host.manifest import Meter, NavItem, Plugin, Schedule, Scope
from chom_core.plugin_host.registry import SDK_VERSION, registry

if TYPE_CHECKING:
    from collections.abc import Callable


class Hooks:
    """Every hook by its name, made on first use."""

    def __getattr__(self, name: str) -> HookCaller:
        from chom_core.hookspecs import specs
        from chom_core.plugin_host import breaker, gate

        known = specs()
        if name not in known:
            raise AttributeError(f"there is no hook {name}; hooks are declared in chom_core/hookspecs")
        fresh: Callable[[], Any] = gate.hook_table
        caller = HookCaller(known[name], list(known).index(name), fresh, breaker.failed)
        self.__dict__[name] = caller
        return caller


hooks = Hooks()

__all__ = [
    "SDK_VERSION",
    "Answer",
    "HookCaller",
    "Hooks",
    "Meter",
    "NavItem",
    "Plugin",
    "Schedule",
    "Scope",
    "hooks",
    "registry",
]
