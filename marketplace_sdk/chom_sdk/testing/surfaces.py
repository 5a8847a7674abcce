"""Every route of an app as a list of calls: rule × method, with ids filled in. The contract and the matrix walk it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from chom_core.rest.access import Declared, routes
from chom_core.values.ids import uuid7

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its address, its method, and what its route declares."""

    endpoint: str
    rule: str
    url: str
    method: str
    allowed: bool
    declared: Declared
    arguments: frozenset[str]

    @property
    def is_api(self) -> bool:
        return self.url.startswith("/api/")


def calls(app: Flask, plugin: str | None = "*", ids: Mapping[str, Any] | None = None) -> Iterator[Call]:
    """Every rule × method. `plugin`: only that plugin's routes (None: the core's, "*": all).

    `ids` fills the rules' arguments by name (or by `endpoint.name`); what it lacks gets a random one.
    """
    known = routes(app)
    for rule in sorted(app.url_map.iter_rules(), key=str):
        declared = known.get(rule.endpoint)
        if declared is None or (plugin != "*" and declared.plugin != plugin):
            continue
        url = address(app, rule, ids or {})
        for method in METHODS:
            allowed = method in (rule.methods or ())
            yield Call(rule.endpoint, str(rule), url, method, allowed, declared, frozenset(rule.arguments))


def address(app: Flask, rule: Rule, ids: Mapping[str, Any]) -> str:
    """The rule's address with its arguments filled in."""
    values = {
        name: ids.get(f"{rule.endpoint}.{name}", ids.get(name, _any(rule, name))) for name in rule.arguments
    }
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        return adapter.build(rule.endpoint, values, method=next(iter(sorted(rule.methods or {"GET"}))))


def _any(rule: Rule, name: str) -> Any:
    converter = type(rule._converters[name]).__name__
    if converter == "UUIDConverter":
        return uuid7()
    return 1 if converter in ("IntegerConverter", "FloatConverter") else "none"
