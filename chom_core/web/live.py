"""Live pages: a fragment that asks again until its thing reached a final state (DESIGN §4).

The page holds the fragment inside the `live` macro; the browser fetches the same URL with `?after=SEQ` after 1 s,
growing to 5 s while nothing changes, and never while the tab is hidden. Unchanged answers are 304 without a body.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Response, make_response, request

FIRST_MS = 1000
LAST_MS = 5000


def after() -> int:
    """The `?after=` the browser has seen; 0 where it is absent or no number."""
    text = request.args.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def etag(seq: int, final: bool, version: object = "") -> str:
    """A tag of what the reader would see: the sequence number, whether it is over, and anything else that shows."""
    return hashlib.sha256(f"{seq}|{final}|{version}".encode()).hexdigest()[:20]


def respond(render: Callable[[], str], *, seq: int, final: bool, version: object = "") -> Response:
    """The fragment `render()` gives, or 304 without calling it where the reader has this very state.

    `seq` grows with every change; `version` names what changes without it (say, the seconds left, rounded).
    A final state is sent with a header that stops the asking.
    """
    tag = etag(seq, final, version)
    seen = tag in request.if_none_match
    response = Response(status=304) if seen else make_response(render())
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Cookie, HX-Request"
    response.headers["X-Chom-Live"] = "final" if final else str(FIRST_MS)
    return response
