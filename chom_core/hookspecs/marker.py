"""The marker that makes a function a hook, and the register of all of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_type_hints

import pluggy

PROJECT = "chom"
#: Plugins write `@hookimpl` above their answer; the function's name is the hook's.
hookimpl = pluggy.HookimplMarker(PROJECT)
_mark = pluggy.HookspecMarker(PROJECT)

F = TypeVar("F", bound=Callable[..., Any])
Fail = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class HookSpec:
    """What CHOM knows of a hook. `fail="open"`: skip and record; `"closed"`: stop, naming the plugin.

    Decide hooks read and return typed values; only lifecycle hooks have `writes`.
    """

    name: str
    section: str
    argument: type
    answer: Any
    fail: Fail
    writes: bool
    since: str
    deprecated: str
    doc: str

    @property
    def signature(self) -> str:
        """As the documentation must show it: `billing_tax(query: TaxQuery) -> TaxAnswer | None`."""
        return _SIGNATURES[self.name]


_SPECS: dict[str, HookSpec] = {}
_SIGNATURES: dict[str, str] = {}
_FUNCTIONS: dict[str, Callable[..., Any]] = {}


def hook(
    *, fail: Fail = "open", writes: bool = False, since: str = "0.1", deprecated: str = ""
) -> Callable[[F], F]:
    """Declare a hook. Fails at import where the shape is not: one frozen dataclass in, an annotation out, a doc."""

    def declare(function: F) -> F:
        name = function.__name__
        hints = get_type_hints(function)
        answer = hints.pop("return")
        if len(hints) != 1 or len(inspect.signature(function).parameters) != 1:
            raise TypeError(f"the hook {name} must take exactly one argument")
        argument: Any = next(iter(hints.values()))
        parameters = getattr(argument, "__dataclass_params__", None)
        if parameters is None or not parameters.frozen:
            raise TypeError(f"the argument of the hook {name} must be a frozen dataclass")
        if not function.__doc__:
            raise TypeError(f"the hook {name} has no docstring")
        section = function.__module__.rsplit(".", 1)[-1]
        _SPECS[name] = HookSpec(
            name, section, argument, answer, fail, writes, since, deprecated, inspect.getdoc(function) or ""
        )
        _SIGNATURES[name] = name + str(inspect.signature(function)).replace("'", "")
        _FUNCTIONS[name] = _mark(function)
        return function

    return declare


def specs() -> dict[str, HookSpec]:
    """Every hook by name. Importing the sections declares them."""
    from chom_core.hookspecs import (  # noqa: F401
        billing,
        branding,
        identity,
        lifecycle,
        notifications,
        provisioning,
        ui,
    )

    return _SPECS


def add_specs(manager: pluggy.PluginManager) -> None:
    """Declare every hook on `manager`."""
    specs()
    manager.add_hookspecs(type("Hooks", (), dict(_FUNCTIONS)))
