"""Routes of the API: input is validated by marshmallow, answers go out through one compiled encoder.

marshmallow on the way out costs eight times as much as msgspec; here its schemas document the answer, and the
contract suite checks that answers match them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

import msgspec
from flask import Blueprint, Flask, Response, request
from marshmallow import Schema
from msgspec import Struct

from chom_core.database import acting_as
from chom_core.plugin_host.registry import registry
from chom_core.rest import idempotency
from chom_core.rest.access import declare, who_may
from chom_core.rest.paging import Page
from chom_core.values.access import Access, TenantFrom, Who
from chom_core.values.errors import Invalid
from chom_core.values.money import Money

F = TypeVar("F", bound=Callable[..., Any])
ROOT = "/api/v1"


def _plain(value: Any) -> Any:
    if isinstance(value, Money):
        return {"amount": value.amount, "currency": value.currency}
    if isinstance(value, Page):
        return {"items": value.items, "next": value.next}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def encode(value: Any) -> bytes:
    """JSON of dataclasses, ids, instants (RFC 3339), Decimal (as text), Money and pages."""
    return _encoder.encode(_plain(value) if isinstance(value, (Page, Money)) else value)


class Endpoint(Struct, frozen=True):
    """One endpoint as the document describes it: `into` is the schema of its input, `out` of its answer.

    `shape`: a type that msgspec reads the body into, where marshmallow would cost more than the work itself.
    """

    method: str
    rule: str
    view: Callable[..., Any]
    status: int
    into: type[Schema] | None
    out: type[Schema] | None
    many: bool
    shape: Any = None

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def location(self) -> str:
        """Where the input stands: the query of a GET, else the body."""
        return "query" if self.method == "GET" else "json"

    def parse(self, into: type[Schema]) -> Any:
        """The input of this request, valid; else 422 with the messages of each field.

        Where there is a `shape`, the schema only says what is wrong with a body that does not fit it.
        """
        if self.shape is not None and request.is_json:
            try:
                return msgspec.json.decode(request.get_data(), type=self.shape)
            except (msgspec.MsgspecError, ValueError):
                pass
        from webargs.flaskparser import parser

        found = parser.parse(into, request, location=self.location)
        if self.shape is None:
            return found
        try:
            return msgspec.convert(found, self.shape)
        except msgspec.ValidationError as error:
            raise Invalid(str(error)) from error


class ApiRoutes(Blueprint):
    """A group of endpoints under `/api/v1/<prefix>`: `api = ApiRoutes("projects", prefix="/projects")`.

    A view returns a dataclass, a dict, a list, a `Page`, or (value, status). None answers 204.
    """

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        prefix: str,
        access: Who | None = None,
        tenant: TenantFrom = "key",
    ) -> None:
        super().__init__(f"{name}_api", import_name, url_prefix=ROOT + prefix)
        self.description = name.replace("_", " ")
        self.endpoints: list[Endpoint] = []
        self.plugin: str | None = None
        self._default = (access, tenant)

    def get(self, rule: str, **options: Any) -> Callable[[F], F]:
        return self._add("GET", rule, **options)

    def post(self, rule: str, **options: Any) -> Callable[[F], F]:
        return self._add("POST", rule, **options)

    def put(self, rule: str, **options: Any) -> Callable[[F], F]:
        return self._add("PUT", rule, **options)

    def patch(self, rule: str, **options: Any) -> Callable[[F], F]:
        return self._add("PATCH", rule, **options)

    def delete(self, rule: str, **options: Any) -> Callable[[F], F]:
        return self._add("DELETE", rule, **options)

    def _add(
        self,
        method: str,
        rule: str,
        *,
        access: Who | None = None,
        tenant: TenantFrom | None = None,
        scope: str = "",
        into: type[Schema] | None = None,
        out: type[Schema] | None = None,
        many: bool = False,
        status: int = 0,
        shape: Any = None,
    ) -> Callable[[F], F]:
        """One endpoint. `into` validates the body (or the query of a GET), `out` documents the answer.

        `shape`: where speed counts, a type that msgspec reads the body into; what it leaves open the view checks.
        """
        success = status or (201 if method == "POST" else 204 if method == "DELETE" else 200)
        who = who_may(f"{self.name}: {method} {rule}", access, self._default[0])
        declared = Access(who, tenant or self._default[1], scope)

        def decorate(view: F) -> F:
            endpoint = Endpoint(method, rule, view, success, into, out, many, shape)
            self.endpoints.append(endpoint)
            self.add_url_rule(rule, endpoint.name, self._handler(endpoint), methods=[method])
            self.record(
                lambda state: declare(
                    cast("Flask", state.app),
                    f"{state.name}.{endpoint.name}",
                    declared,
                    self.plugin,
                    takes=into,
                )
            )
            return view

        return decorate

    def _handler(self, endpoint: Endpoint) -> Callable[..., Response]:
        view = endpoint.view

        @wraps(view)
        def handler(**of_path: Any) -> Response:
            given = () if endpoint.into is None else (endpoint.parse(endpoint.into),)

            def act() -> Response:
                with acting_as(self.plugin or "core"):
                    found = view(*given, **of_path)
                if isinstance(found, Response):
                    return found
                value, code = found if isinstance(found, tuple) else (found, endpoint.status)
                if value is None:
                    return Response(b"", 204)
                return Response(encode(value), code, mimetype="application/json")

            return act() if endpoint.method in ("GET", "PUT", "DELETE") else idempotency.once(act)

        return handler


def wrong_place(blueprint: Any, package: str) -> str:
    """Why `blueprint` may not be mounted for the plugin in `package`; empty where it may."""
    if not str(blueprint.import_name).startswith(package):
        return f"{blueprint.name} belongs to {blueprint.import_name}"
    taken = [n for n, loaded in registry.loaded.items() if n == blueprint.name and loaded.package != package]
    return f"the name {blueprint.name} is taken" if taken else ""
