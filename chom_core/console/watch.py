"""What machines ask: `/healthz` (does the process live), `/readyz` (can it serve), `/metrics` (Prometheus).

None of the three has a unit of work of its own making: a probe must be answered while the database is away.
"""

from __future__ import annotations

import hmac
from time import perf_counter

from flask import Flask, Response, g, request
from flask_babel import gettext as _

from chom_core import config, logs
from chom_core.console import health, metrics
from chom_core.database import transaction
from chom_core.identity.authentication import authenticate
from chom_core.rest.access import declare
from chom_core.rest.routes import encode
from chom_core.values.access import Access
from chom_core.values.errors import Refused, Unauthenticated


def init_app(app: Flask) -> None:
    """Mount the three routes and count every request. Register it first: Flask then counts last."""
    for endpoint, rule, view in (
        ("healthz", "/healthz", healthz), ("readyz", "/readyz", readyz), ("metrics", "/metrics", scrape),
    ):  # fmt: skip
        app.add_url_rule(rule, endpoint, view, methods=["GET"])
        declare(app, endpoint, Access("public", "none"), bare=True)

    @app.after_request
    def count(response: Response) -> Response:
        if "started" in g:
            metrics.request_ended(
                request.method, logs.template(), response.status_code, perf_counter() - g.started
            )
        return response


def healthz() -> Response:
    return _json({"status": "ok"}, 200)


def readyz() -> Response:
    """200 while requests can be served (`ok`, or `degraded` without Redis), 503 where they cannot."""
    found = health.ready()
    return _json(found, 503 if found["status"] == "failed" else 200)


def scrape() -> Response:
    """For staff who are logged in, or for a scraper that sends `Authorization: Bearer` with CHOM_METRICS_TOKEN."""
    _may_scrape()
    return Response(metrics.render(), mimetype="text/plain", content_type=metrics.CONTENT_TYPE)


def _may_scrape() -> None:
    expected, given = config.settings().metrics_token, request.headers.get("Authorization", "")
    if given:
        if expected and hmac.compare_digest(given.encode(), f"Bearer {expected}".encode()):
            return
        raise Unauthenticated(
            _("This is not the token of CHOM_METRICS_TOKEN."), fix=_("Set it in your scraper.")
        )
    with transaction():
        who = authenticate(request)
    if who.kind == "anonymous":
        raise Unauthenticated(
            _("Metrics need a token, or staff who are logged in."), fix=_("Send CHOM_METRICS_TOKEN.")
        )
    if not who.is_staff:
        raise Refused(_("Metrics are for staff."))


def _json(body: object, status: int) -> Response:
    answer = Response(encode(body), status, mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer
