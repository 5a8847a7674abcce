"""The API of an app: OpenAPI 3.1 by flask-smorest, without its habit of answering JSON where a page was asked for."""

from __future__ import annotations

from threading import Lock
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, render_template
from flask_smorest import Api

from chom_core.rest.access import declare
from chom_core.rest.routes import ROOT, encode
from chom_core.values.access import Access


class ChomApi(Api):  # type: ignore[misc]
    """flask-smorest's Api; CHOM's own handlers answer errors, problem documents below /api, pages elsewhere.

    The document is written when somebody first asks for it, not at boot: it was an eighth of the boot's CPU.
    """

    def __init__(self, app: Flask) -> None:
        self._blueprints: list[Any] = []
        self._written: bytes = b""
        self._writing = Lock()
        super().__init__(app)

    def _register_error_handlers(self) -> None:
        return

    def _init_spec(self, **options: Any) -> None:
        return

    def register_blueprint(self, blp: Any, **options: Any) -> None:
        """Mount `blp` now, describe it later."""
        self._app.register_blueprint(blp, **options)
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._blueprints.append(blp)

    def document(self) -> bytes:
        """The OpenAPI document of everything mounted, as JSON."""
        with self._writing:
            if not self._written:
                self._written = self._write()
        return self._written

    def _write(self) -> bytes:
        super()._init_spec(marshmallow_plugin=MarshmallowPlugin(schema_name_resolver=schema_name))
        self.spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
        self.spec.options["security"] = [{"key": []}]
        for blueprint in self._blueprints:
            blueprint.register_views_in_doc(self, self._app, self.spec, name=blueprint.name, parameters=None)
            self.spec.tag({"name": blueprint.name, "description": blueprint.description})
        return encode(self.spec.to_dict())


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
    api = ChomApi(app)

    @app.get(f"{ROOT}/openapi.json", endpoint="openapi")
    def openapi() -> Response:
        return Response(api.document(), mimetype="application/json")

    @app.get("/api/docs", endpoint="api_docs")
    def docs() -> str:
        return render_template("api_docs.html")

    for endpoint in ("openapi", "api_docs"):
        declare(app, endpoint, Access("public", "none"))
    return api
