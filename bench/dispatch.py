"""`./dev bench dispatch`: what asking a hook costs, by plugins installed and enabled, against pluggy's own call.

Minimum CPU of the process over many rounds, interleaved; one JSON object a line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import ModuleType
from typing import ClassVar
from uuid import uuid4

import pluggy

from chom_core.database.unit import Unit, _current
from chom_core.hookspecs import hookimpl, marker, specs
from chom_core.plugin_host.dispatch import HookCaller, Implementation, compile_table
from chom_core.values.ui import PageSlot, Panel

HOOK, PANEL = "slot_home", Panel("somewhere.html")
LOOP, ROUNDS = 5_000, 60


def _module(name: str) -> ModuleType:
    module = ModuleType(name)

    def slot_home(slot: PageSlot) -> Panel:
        return PANEL

    module.slot_home = hookimpl(slot_home)  # type: ignore[attr-defined]
    return module


def _manager(installed: int) -> pluggy.PluginManager:
    manager = pluggy.PluginManager(marker.PROJECT)
    marker.add_specs(manager)
    for i in range(installed):
        manager.register(_module(f"p{i}"), name=f"p{i}")
    return manager


def _caller(manager: pluggy.PluginManager, enabled: int) -> tuple[Callable[[PageSlot], object], Unit]:
    known = specs()
    row = [Implementation(f.plugin_name, f.function) for f in manager.hook.slot_home.get_hookimpls()]
    on = frozenset(f"p{i}" for i in range(enabled))
    table = compile_table(known, {HOOK: row}, on, on, {})
    unit = Unit(session=_Quiet(), hook_table=table)  # type: ignore[arg-type]
    return HookCaller(known[HOOK], list(known).index(HOOK), lambda: table, lambda *_: None).ask, unit


class _Quiet:
    """A session with nothing to flush, as a page has while it reads."""

    _new: ClassVar[dict[str, str]] = {}
    _deleted: ClassVar[dict[str, str]] = {}

    class identity_map:
        _modified: ClassVar[set[str]] = set()


def _cost(call: Callable[[PageSlot], object], argument: PageSlot) -> float:
    """Microseconds of CPU for one call."""
    started = time.process_time_ns()
    for _ in range(LOOP):
        call(argument)
    return (time.process_time_ns() - started) / LOOP / 1000


def main() -> None:
    argument = PageSlot(tenant_id=uuid4())
    for installed in (10, 60, 300):
        manager = _manager(installed)
        three = pluggy.PluginManager(marker.PROJECT)
        marker.add_specs(three)
        for i in range(3):
            three.register(_module(f"p{i}"), name=f"p{i}")
        cases = {"none_enabled_us": _caller(manager, 0), "three_enabled_us": _caller(manager, 3)}
        best: dict[str, float] = {}
        for _ in range(ROUNDS):
            for metric, (caller, unit) in cases.items():
                token = _current.set(unit)
                best[metric] = min(best.get(metric, 1e9), _cost(caller, argument))
                _current.reset(token)
            best["floor"] = min(
                best.get("floor", 1e9), _cost(lambda a, pm=three: pm.hook.slot_home(slot=a), argument)
            )
        for metric in cases:
            line = {"bench": "dispatch", "metric": metric, "value": round(best[metric], 3), "unit": "us"}
            line |= {
                "installed": installed,
                "floor": round(best["floor"], 3),
                "floor_is": "pluggy, three plugins",
            }
            print(json.dumps(line | {"ratio": round(best[metric] / best["floor"], 3)}), flush=True)


if __name__ == "__main__":
    main()
