"""The API of an app: its groups of routes, and the OpenAPI 3.1 document that describes them."""

from __future__ import annotations

from threading import Lock

from flask import Flask, Response, render_template

from chom_core.rest.access import declare
from chom_core.rest.routes import ROOT, ApiRoutes
from chom_core.values.access import Access


class ApiDocument:
    """Written when somebody first asks for it, not at boot: it was an eighth of the boot's CPU."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._groups: list[ApiRoutes] = []
        self._written = b""
        self._writing = Lock()

    def mount(self, group: ApiRoutes) -> None:
        """Mount `group` now, describe it later."""
        self._app.register_blueprint(group)
        self._groups.append(group)

    def document(self) -> bytes:
        """The OpenAPI document of everything mounted, as JSON."""
        from chom_core.rest import openapi

        with self._writing:
            if not self._written:
                self._written = openapi.write(self._app, self._groups)
        return self._written


def init_app(app: Flask) -> ApiDocument:
    """Mount the API's documents: `/api/v1/openapi.json` and the explorer at `/api/docs`."""
    app.config.update(API_TITLE="CHOM", API_VERSION="v1", OPENAPI_VERSION="3.1.1")
    api = ApiDocument(app)

    @app.get(f"{ROOT}/openapi.json", endpoint="openapi")
    def openapi() -> Response:
        return Response(api.document(), mimetype="application/json")

    @app.get("/api/docs", endpoint="api_docs")
    def docs() -> str:
        return render_template("api_docs.html")

    for endpoint in ("openapi", "api_docs"):
        declare(app, endpoint, Access("public", "none"))
    return api
