"""What a person sees when something goes wrong: a problem document below /api, a page with the next step elsewhere."""

from __future__ import annotations

import logging
from typing import cast
from urllib.parse import quote

from flask import Flask, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as BaseResponse

from chom_core.rest import problems
from chom_core.values.errors import ChomError, Refused, Unauthenticated

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    app.register_error_handler(Exception, answer)


def answer(error: Exception) -> BaseResponse:
    """The answer to any error, in the form its caller reads."""
    if isinstance(error, RequestRedirect):
        return error.get_response()
    if isinstance(error, HTTPException) and error.response is not None:
        return cast("BaseResponse", error.response)
    if isinstance(error, CSRFError):
        error = Refused(
            _("This form is from before you logged in or switched organisation, so it was not sent."),
            fix=_("Go back, reload the page, and send it again."),
        )
    if not isinstance(error, (ChomError, HTTPException)):
        rule = request.url_rule.rule if request.url_rule else "(no route)"  # a path may carry a token
        log.exception("unhandled error at %s %s", request.method, rule)
    if request.path.startswith("/api/"):
        return problems.response(error)
    return page(error)


def page(error: Exception) -> BaseResponse:
    """The error as a page: what is wrong, what to do next, and the number support asks for."""
    if isinstance(error, Unauthenticated) and request.method == "GET" and "HX-Request" not in request.headers:
        return redirect(f"/login?next={quote(request.full_path.rstrip('?'))}", 303)
    body, status = problems.document(error)
    html = render_template(
        "error.html",
        title=body["title"],
        detail=body["detail"],
        fix=body.get("fix", ""),
        request_id=body["request_id"],
        status=status,
    )
    response: Response = make_response(html, status)
    if isinstance(error, HTTPException):
        for name, value in error.get_headers():
            if name.lower() in ("allow", "retry-after"):
                response.headers[name] = value
    return response
