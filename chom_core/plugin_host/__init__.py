"""The plugin host: manifest, discovery, dispatch, gate, lifecycle, settings, breaker.

`hooks.<name>(argument)` asks every plugin that is on for the current organisation; `said` keeps their values alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chom_core.plugin_host.dispatch import Answer, Answers, HookCaller, said
from chom_core.plugin_host.manifest import Meter, NavItem, Plugin, Schedule, Scope
from chom_core.plugin_host.registry import SDK_VERSION, registry

if TYPE_CHECKING:
    from collections.abc import Callable


class Hooks:
    """Every hook by its name, made on first use."""

    def __init__(self) -> None:
        self._callers: dict[str, HookCaller] = {}

    def __getattr__(self, name: str) -> Callable[[Any], Answers]:
        ask = self.caller(name).ask
        self.__dict__[name] = ask
        return ask

    def caller(self, name: str) -> HookCaller:
        """The hook itself, for who looks after it. Raises AttributeError where there is none of this name."""
        if name in self._callers:
            return self._callers[name]
        from chom_core.hookspecs import specs
        from chom_core.plugin_host import breaker, gate

        known = specs()
        if name not in known:
            raise AttributeError(f"there is no hook {name}; hooks are declared in chom_core/hookspecs")
        fresh: Callable[[], Any] = gate.hook_table
        made = self._callers[name] = HookCaller(known[name], list(known).index(name), fresh, breaker.failed)
        return made


hooks = Hooks()

__all__ = [
    "SDK_VERSION",
    "Answer",
    "Answers",
    "HookCaller",
    "Hooks",
    "Meter",
    "NavItem",
    "Plugin",
    "Schedule",
    "Scope",
    "hooks",
    "registry",
    "said",
]
