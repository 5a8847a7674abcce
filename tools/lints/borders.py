"""Who may import whom, beyond the floors: core, plugins, and the two pure floors."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.lints.tree import File, Finding, Tree

IMPURE = {"flask", "sqlalchemy", "werkzeug", "jinja2", "redis", "rq", "psycopg", "alembic", "marshmallow"}


def core_knows_no_plugin(tree: Tree) -> Iterator[Finding]:
    """The core imports neither a plugin nor the SDK, and spells no plugin's name (DESIGN §1)."""
    plugins = {file.parts[1] for file in tree.files if file.parts[0] == "plugins" and len(file.parts) > 2}
    for file in tree.under("chom_core"):
        for line, name in imports(file):
            if name.split(".")[0].startswith("chom_") and not name.startswith("chom_core"):
                yield file.finding(line, f"the core imports {name}; it may know no plugin and not the SDK")
        for node in file.walk():
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in plugins:
                yield file.finding(node.lineno, f"the core names the plugin {node.value!r}")


def plugins_use_the_sdk(tree: Tree) -> Iterator[Finding]:
    """A plugin imports chom_sdk and itself, nothing else of CHOM: what it misses belongs into the SDK."""
    for file in tree.python:
        if file.parts[0] != "plugins" or len(file.parts) < 3:
            continue
        own = f"chom_{file.parts[1]}"
        for line, name in imports(file):
            top = name.split(".")[0]
            if top.startswith("chom_") and top not in {"chom_sdk", own}:
                yield file.finding(line, f"a plugin imports {name}; its only door is chom_sdk")


def pure_floors(tree: Tree) -> Iterator[Finding]:
    """values and hookspecs are plain Python: no web framework, no database (DESIGN §2)."""
    for file in tree.under("chom_core"):
        if file.parts[1] in {"values", "hookspecs"}:
            for line, name in imports(file):
                if name.split(".")[0].removeprefix("flask_") in IMPURE or name.startswith("flask_"):
                    yield file.finding(line, f"{file.parts[1]} is pure and imports {name}")


def imports(file: File) -> Iterator[tuple[int, str]]:
    """Line and full name of every absolute import, at any depth."""
    for node in file.walk():
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
