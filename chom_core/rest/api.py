"""The API of an app: OpenAPI 3.1 by flask-smorest, without its habit of answering JSON where a page was asked for."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, render_template
from flask_smorest import Api

from chom_core.rest.access import declare
from chom_core.rest.routes import ROOT, encode
from chom_core.values.access import Access


class ChomApi(Api):  # type: ignore[misc]
    """flask-smorest's Api; CHOM's own handlers answer errors, problem documents below /api, pages elsewhere."""

    def _register_error_handlers(self) -> None:
        return


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


def init_app(app: Flask) -> ChomApi:
    """Mount the API's documents: `/api/v1/openapi.json` and the explorer at `/api/docs`."""
    app.config.update(API_TITLE="CHOM", API_VERSION="v1", OPENAPI_VERSION="3.1.1")
    api = ChomApi(app, spec_kwargs={"marshmallow_plugin": _plugin()})
    api.spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
    api.spec.options["security"] = [{"key": []}]

    @app.get(f"{ROOT}/openapi.json", endpoint="openapi")
    def openapi() -> Response:
        return Response(encode(api.spec.to_dict()), mimetype="application/json")

    @app.get("/api/docs", endpoint="api_docs")
    def docs() -> str:
        return render_template("api_docs.html")

    for endpoint in ("openapi", "api_docs"):
        declare(app, endpoint, Access("public", "none"))
    return api


def _plugin() -> Any:
    from apispec.ext.marshmallow import MarshmallowPlugin

    return MarshmallowPlugin(schema_name_resolver=schema_name)
