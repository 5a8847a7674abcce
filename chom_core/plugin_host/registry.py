"""Discovery: once per process, by entry point, in the order of dependencies. What cannot load is skipped and named."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pluggy
from msgspec import Struct

from chom_core.hookspecs import marker
from chom_core.plugin_host.dispatch import Implementation
from chom_core.plugin_host.manifest import Plugin, room
from chom_core.work.handlers import forget, registering

log = logging.getLogger(__name__)
GROUP = "chom.plugins"
#: The version of the surface that plugins build on; a plugin states `requires_sdk`, never a version of the core.
SDK_VERSION = "0.1.0"
Role = Literal["web", "worker", "all"]
ROOMS: dict[Role, tuple[str, ...]] = {
    "web": ("hooks", "models", "api", "pages"),
    "worker": ("hooks", "models", "jobs"),
    "all": ("hooks", "models", "jobs", "api", "pages"),
}


@dataclass(slots=True)
class Loaded:
    """A plugin that this process runs."""

    plugin: Plugin
    package: str
    version: str
    rooms: dict[str, ModuleType | None] = field(default_factory=dict)
    hooks: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        module = __import__(self.package, fromlist=["__file__"])
        return Path(str(module.__file__)).parent


class Skipped(Struct, frozen=True):
    """A plugin that is here but does not run, and why."""

    name: str
    version: str
    why: str


@lru_cache(maxsize=1)
def _every_entry() -> Any:
    return entry_points()  # opens a file of every package here, so once per process


def entries(group: str) -> list[EntryPoint]:
    """The entry points of a group in this environment, by name."""
    return sorted(_every_entry().select(group=group), key=lambda entry: entry.name)


class Registry:
    """Every plugin of this process and every implementation of every hook."""

    def __init__(self) -> None:
        self.loaded: dict[str, Loaded] = {}
        self.skipped: dict[str, Skipped] = {}
        self.implementations: dict[str, list[Implementation]] = {}
        self._manager = pluggy.PluginManager(marker.PROJECT)
        marker.add_specs(self._manager)

    def discover(
        self,
        role: Role,
        unfit: Callable[[Loaded], str] = lambda loaded: "",
        absent: Callable[[str], str] = lambda name: "",
    ) -> None:
        """Load what is there. `unfit` may give a reason to leave a plugin out (its schema is behind); `absent` one,
        by the name, not even to import it (nobody installed it)."""
        found = ((entry.name, _version(entry), entry.load) for entry in entries(GROUP))
        self.add(found, role, unfit, absent)

    def add(
        self,
        candidates: Iterable[tuple[str, str, Callable[[], Any]]],
        role: Role,
        unfit: Callable[[Loaded], str] = lambda loaded: "",
        absent: Callable[[str], str] = lambda name: "",
    ) -> None:
        """Load `candidates` (name, version, function that imports the package); what is loaded stays as it is."""
        manifests: dict[str, Loaded] = {}
        for name, version, load in candidates:
            if name in self.loaded:
                continue
            why = absent(name)
            if why:
                self._skip(name, version, why)
                continue
            try:
                module = load()
                loaded = Loaded(module.plugin, module.__name__, version)
                if loaded.plugin.name != name:
                    raise ValueError(f"its manifest calls itself {loaded.plugin.name}")
                if not _meets(loaded.plugin.requires_sdk):
                    raise ValueError(f"it wants chom_sdk {loaded.plugin.requires_sdk}; this is {SDK_VERSION}")
                manifests[name] = loaded
            except Exception as error:
                self._skip(name, version, error)
        for name in self._ordered(manifests):
            loaded = manifests[name]
            lacks = [other for other in loaded.plugin.requires if other not in self.loaded]
            try:
                why = f"it needs {', '.join(lacks)}, which did not load" if lacks else unfit(loaded)
                if why:
                    self._skip(name, loaded.version, why)
                    continue
                self._load_rooms(loaded, role)
                self.loaded[name] = loaded
                self.skipped.pop(name, None)
            except Exception as error:
                self._forget(name)
                self._skip(name, loaded.version, error)
        self._collect()

    def _ordered(self, manifests: Mapping[str, Loaded]) -> list[str]:
        graph = {
            name: {o for o in (*loaded.plugin.requires, *loaded.plugin.uses) if o in manifests}
            for name, loaded in manifests.items()
        }
        while True:
            try:
                return list(TopologicalSorter(graph).static_order())
            except CycleError as error:
                for name in set(error.args[1]):
                    self._skip(
                        name, manifests[name].version, f"it depends on itself: {' → '.join(error.args[1])}"
                    )
                    graph.pop(name)
                graph = {name: needs & graph.keys() for name, needs in graph.items()}

    def _load_rooms(self, loaded: Loaded, role: Role) -> None:
        with registering(loaded.plugin.name):
            loaded.rooms = {name: room(loaded.package, name) for name in ROOMS[role]}
        hooks = loaded.rooms.get("hooks")
        if hooks is None:
            return
        name = loaded.plugin.name
        self._manager.register(hooks, name=name)
        callers = self._manager.get_hookcallers(hooks) or []
        for caller in callers:
            if caller.spec is None:
                raise ValueError(f"it answers {caller.name}, and there is no such hook")
            for implementation in caller.get_hookimpls():
                wraps = implementation.wrapper or implementation.hookwrapper
                if implementation.plugin_name == name and wraps:
                    raise ValueError(
                        f"it wraps {caller.name}; wrappers are refused, they can hide others' answers"
                    )
        loaded.hooks = tuple(sorted({caller.name for caller in callers}))

    def _collect(self) -> None:
        """One list of implementations per hook, in the plugins' order of dependency."""
        known = marker.specs()
        order = {name: i for i, name in enumerate(self.loaded)}
        kept = {(item.plugin, hook): item for hook, row in self.implementations.items() for item in row}
        self.implementations = {}
        for hook in known:
            found = getattr(self._manager.hook, hook).get_hookimpls()
            ours = sorted((f for f in found if f.plugin_name in order), key=lambda f: order[f.plugin_name])
            self.implementations[hook] = [
                kept.get((f.plugin_name, hook)) or Implementation(f.plugin_name, f.function) for f in ours
            ]

    def _forget(self, name: str) -> None:
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)
        forget(name)

    def _skip(self, name: str, version: str, why: str | Exception) -> None:
        text = why if isinstance(why, str) else f"{type(why).__name__}: {why}"
        self.skipped[name] = Skipped(name, version, text)
        log.warning("plugin %s skipped: %s", name, text)


def _meets(requires_sdk: str) -> bool:
    from packaging.specifiers import SpecifierSet  # a house without plugins compares no versions

    return SDK_VERSION in SpecifierSet(requires_sdk)


def _version(entry: EntryPoint) -> str:
    return entry.dist.version if entry.dist else "0"


#: The registry of this process; `create_app` and the workers fill it.
registry = Registry()
