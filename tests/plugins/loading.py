"""Loading the tests' plugins into this process's registry, and taking them out again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from chom_core.plugin_host import gate, registry
from chom_core.web import nav

HERE = Path(__file__).parent
#: As `Registry.add` takes them.
GOOD = ("good", "1.0", lambda: import_module("chom_good"))
BAD = ("bad", "1.0", lambda: import_module("chom_bad"))


@contextmanager
def on_path(*folders: Path) -> Iterator[None]:
    """Packages of `folders` can be imported while the block runs; afterwards they are forgotten."""
    sys.path[:0] = [str(folder) for folder in folders]
    known = set(sys.modules)
    try:
        yield
    finally:
        for folder in folders:
            sys.path.remove(str(folder))
        for name in set(sys.modules) - known:
            where = getattr(sys.modules[name], "__file__", None) or ""
            if any(where.startswith(str(folder)) for folder in folders):
                del sys.modules[name]


@contextmanager
def tests_plugins() -> Iterator[None]:
    """`chom_good` and `chom_bad` can be imported; what of them was loaded is unloaded afterwards."""
    with on_path(HERE / "good", HERE / "bad"):
        try:
            yield
        finally:
            unload("good", "bad")


def unload(*names: str) -> None:
    """Take plugins out of the registry. No running CHOM does this: it restarts."""
    for name in names:
        registry.loaded.pop(name, None)
        registry.skipped.pop(name, None)
        registry._forget(name)
    registry._collect()
    gate.forget()
    nav.forget()
