"""Is a request one that Stripe would take? Judged by the SDK's own generated route list and parameter types.

The SDK's service modules and TypedDicts are generated from Stripe's OpenAPI document at the very version it pins, and
they are always installed. What they cannot say (lengths, patterns, «one of the two») is not checked.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import stripe

from chom_stripe.sandbox.types import faults_of

_ROOT = Path(stripe.__file__).parent
_PARAMS = re.compile(r"\b(\w+Params)\b")


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the API: its pattern, and the TypedDict of its parameters (None: it takes none)."""

    method: str
    path: str
    module: str | None
    params: str | None

    @property
    def literal(self) -> int:
        """More fixed segments win: /v1/refunds/{} does not take what belongs to /v1/refunds/search."""
        return -self.path.count("{}")

    def takes(self, path: str) -> bool:
        return re.fullmatch(re.escape(self.path).replace(r"\{\}", "[^/]+"), path) is not None

    def typed(self) -> Any:
        return (
            getattr(importlib.import_module(self.module), self.params)
            if self.module and self.params
            else None
        )


@lru_cache(maxsize=64)
def routes(section: str) -> tuple[Route, ...]:
    """The routes under `/v1/<section>`. Only the service modules that name it are read."""
    found = []
    for file in sorted(_ROOT.rglob("_*_service.py")):
        source = file.read_text()
        if f'"/v1/{section}' in source:
            found += list(_routes_of(ast.parse(source)))
    mine = (route for route in found if route.path.split("/")[2:3] == [section])
    return tuple(sorted(mine, key=lambda route: route.literal, reverse=True))


def find(method: str, path: str) -> Route | None:
    """The route of a call, or None where the API has none."""
    section = path.split("/")[2] if path.count("/") > 1 else ""
    return next((r for r in routes(section) if r.method == method and r.takes(path)), None)


def problems(method: str, path: str, data: dict[str, Any]) -> list[str]:
    """What is wrong with a request; empty where Stripe would take its form."""
    route = find(method, path)
    if route is None:
        return [f"Unrecognized request URL ({method.upper()}: {path})"]
    typed = route.typed()
    if typed is None:
        return [f"Received unknown parameter: {name}" for name in data]
    return faults_of(data, typed)


def _routes_of(tree: ast.Module) -> Iterator[Route]:
    modules = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for owner in tree.body:
        for function in owner.body if isinstance(owner, ast.ClassDef) else ():
            if isinstance(function, ast.FunctionDef):
                params = _params_of(function)
                for method, path in _requests_of(function):
                    yield Route(method, path, modules.get(params or ""), params)


def _params_of(function: ast.FunctionDef) -> str | None:
    for argument in function.args.args:
        if argument.arg == "params" and argument.annotation is not None:
            found = _PARAMS.search(ast.unparse(argument.annotation))
            return found[1] if found else None
    return None


def _requests_of(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """("post", "/v1/refunds/{}") of each `self._request(...)` in the function."""
    for call in ast.walk(function):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        if call.func.attr != "_request" or len(call.args) < 2:
            continue
        method, place = call.args[0], call.args[1]
        if isinstance(place, ast.Call) and isinstance(place.func, ast.Attribute):
            place = place.func.value  # "/v1/refunds/{refund}".format(...)
        if isinstance(method, ast.Constant) and isinstance(place, ast.Constant):
            yield str(method.value).lower(), re.sub(r"\{[^}]*\}", "{}", str(place.value))
