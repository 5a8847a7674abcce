"""The OpenAPI 3.1 document of the API's groups, written by flask-smorest.

Only who reads the document needs flask-smorest, apispec and yaml, so they load with this module: a twentieth of the
boot. Its `Api` brings error handlers that answer JSON where a page was asked for; here it answers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from flask_smorest import Api, Blueprint

from chom_core.rest.routes import ApiRoutes, Endpoint, encode


class _Document(Api):  # type: ignore[misc]
    """flask-smorest's Api, for what it writes: CHOM's own handlers answer errors."""

    def _register_error_handlers(self) -> None:
        return


def write(app: Flask, groups: Iterable[ApiRoutes]) -> bytes:
    """The document of everything in `groups`, which are mounted in `app`, as JSON."""
    api = _Document(
        app, spec_kwargs={"marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=schema_name)}
    )
    api.spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
    api.spec.options["security"] = [{"key": []}]
    for group in groups:
        described = _described(group)
        described.register_views_in_doc(api, app, api.spec, name=group.name, parameters=None)
        api.spec.tag({"name": group.name, "description": group.description})
    return encode(api.spec.to_dict())


def _described(group: ApiRoutes) -> Any:
    """The group as a blueprint of flask-smorest, which is never mounted."""
    blueprint = Blueprint(group.name, group.import_name)
    for endpoint in group.endpoints:
        view = blueprint.response(endpoint.status, _shown(endpoint))(endpoint.view)
        if endpoint.into is not None:
            view = blueprint.arguments(endpoint.into, location=endpoint.location)(view)
        blueprint.add_url_rule(endpoint.rule, endpoint.name, view, methods=[endpoint.method])
    return blueprint


def _shown(endpoint: Endpoint) -> Any:
    return endpoint.out(many=endpoint.many) if endpoint.out is not None else None


def schema_name(schema: Any) -> str:
    """Schemas are named by their plugin, so that two plugins may both have a `NoteSchema`."""
    kind = schema if isinstance(schema, type) else type(schema)
    name = kind.__name__.removesuffix("Schema")
    package = kind.__module__.split(".")[0]
    prefix = (
        ""
        if package in ("chom_core", "marshmallow")
        else package.removeprefix("chom_").title().replace("_", "")
    )
    partial = "Partial" if getattr(schema, "partial", False) else ""
    return prefix + name + partial
