"""Problem documents (RFC 9457): what is wrong, what to do next, and where in the input."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response, g, request
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound as NoSuchAddress

from chom_core.values.errors import ChomError

MEDIA_TYPE = "application/problem+json"


def document(error: Exception) -> tuple[dict[str, Any], int]:
    """The problem document of `error` and its status. What is not ours to tell becomes a plain 500."""
    if isinstance(error, ChomError):
        body: dict[str, Any] = {
            "type": f"/problems/{error.code}",
            "title": error.title,
            "status": error.status,
            "detail": error.detail,
        }
        if error.fix:
            body["fix"] = error.fix
        if error.fields:
            body["errors"] = error.fields
        status = error.status
    elif isinstance(error, NoSuchAddress) and error.description == NoSuchAddress.description:
        status = 404
        body = {
            "type": "about:blank",
            "title": error.name,
            "status": 404,
            "detail": _("There is nothing at this address."),
            "fix": _("Check it for a slip of the pen, or begin at the start."),
        }
    elif isinstance(error, HTTPException):
        status = error.code or 500
        body = {
            "type": "about:blank",
            "title": error.name,
            "status": status,
            "detail": error.description or error.name,
        }
        messages = getattr(error, "data", {}).get("messages") if hasattr(error, "data") else None
        if messages:
            body |= {
                "type": "/problems/invalid",
                "errors": _flat(messages),
                "detail": "Some fields need your attention.",
            }
    else:
        status = 500
        body = {
            "type": "/problems/internal",
            "title": "Something broke on our side",
            "status": 500,
            "detail": "Nothing was changed. We have a record of this.",
            "fix": "Try again; if it happens again, tell support this number.",
        }
    body["instance"] = request.path
    body["request_id"] = getattr(g, "request_id", "")
    return body, status


def _flat(messages: dict[str, Any]) -> dict[str, list[str]]:
    """webargs nests by location, and lists by place; people want the field: `events.3.value`."""
    found: dict[str, list[str]] = {}
    for by_field in messages.values():
        _flatten("", by_field, found)
    return found


def _flatten(name: str, told: Any, found: dict[str, list[str]]) -> None:
    if isinstance(told, dict):
        for part, inner in told.items():
            _flatten(f"{name}.{part}" if name else str(part), inner, found)
    else:
        found[name] = [str(text) for text in (told if isinstance(told, list) else [told])]


def response(error: Exception) -> Response:
    """The error as an answer of the API."""
    body, status = document(error)
    answer = Response(msgspec.json.encode(body), status, mimetype=MEDIA_TYPE)
    if isinstance(error, HTTPException):
        for name, value in error.get_headers():
            if name.lower() in ("allow", "retry-after"):
                answer.headers[name] = value
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="chom"'
    return answer
