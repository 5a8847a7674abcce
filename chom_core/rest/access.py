"""Which route belongs to whom and who may call it: kept per endpoint, complete by construction.

An app with a route that declares no access does not start (DESIGN §3.8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from msgspec import Struct

from chom_core.values.access import Access, Who

if TYPE_CHECKING:
    from marshmallow import Schema

_KEY = "chom_routes"


class Declared(Struct, frozen=True):
    """A route's declaration: its access, and the plugin whose gate guards it (None: the core's).

    A `bare` route has no unit of work and no principal: files, and probes that must answer without a database.
    `takes` is the schema of its body (of its query, on GET): documentation, and what tests send.
    """

    access: Access
    plugin: str | None = None
    bare: bool = False
    takes: type[Schema] | None = None


class UndeclaredRoute(Exception):
    """A route says not who may call it."""


def who_may(route: str, own: Who | None, group: Who | None) -> Who:
    """Who may call `route`: what it says itself, else what its group says. Neither is refused, where it is written."""
    who = own or group
    if who is None:
        raise UndeclaredRoute(f"{route} says not who may call it")
    return who


def routes(app: Flask) -> dict[str, Declared]:
    """Every declared endpoint of `app`."""
    found: dict[str, Declared] = app.extensions.setdefault(_KEY, {})
    return found


def declare(
    app: Flask,
    endpoint: str,
    access: Access,
    plugin: str | None = None,
    *,
    bare: bool = False,
    takes: type[Schema] | None = None,
) -> None:
    """Say who may call `endpoint`; the whole of `Declared`."""
    routes(app)[endpoint] = Declared(access, plugin, bare, takes)


def check_complete(app: Flask) -> None:
    """Raise UndeclaredRoute with every rule of the url map that nobody declared."""
    known = routes(app)
    missing = sorted({str(rule) for rule in app.url_map.iter_rules() if rule.endpoint not in known})
    if missing:
        raise UndeclaredRoute(f"routes without an access declaration: {', '.join(missing)}")
