"""Plugins written for one test: a package on disk, ready to be loaded."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

Candidate = tuple[str, str, Callable[[], ModuleType]]


def make(folder: Path, name: str, manifest: str = "", **rooms: str) -> Candidate:
    """Write the package `made_<name>` below `folder`, with the source of its `rooms`; `manifest`: further arguments."""
    package = folder / f"made_{name}"
    package.mkdir()
    source = f"Plugin(name={name!r}, title={name!r}, description='made for a test', {manifest})"
    (package / "__init__.py").write_text(
        f"from chom_sdk import *\nfrom chom_sdk import Plugin\nplugin = {source}\n"
    )
    for room, text in rooms.items():
        (package / f"{room}.py").write_text(text)
    return name, "1.0", lambda: import_module(f"made_{name}")


def hook(name: str, body: str, decorator: str = "@hookimpl", argument: str = "query") -> str:
    """The source of a hooks room with one hook."""
    return f"from chom_sdk import hookimpl\n{decorator}\ndef {name}({argument}):\n    {body}\n"


def broken() -> Any:
    raise ImportError("no module named heavy")
