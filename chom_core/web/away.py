"""Leading a browser to another site after a form was sent."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, make_response, render_template
from flask_babel import gettext as _

from chom_core.values.errors import Unavailable


def away(url: str) -> Response:
    """The answer to a POST whose next page is on another host: the bank's, a site's own administration.

    A redirect will not do: `form-action 'self'` of our content policy holds for every hop of a form, so browsers
    block it. This is a page of ours that moves on at once, and has a link for those who were not moved. The address
    may let somebody in, so it is not cached and not told to the other site as where they came from.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable():
        raise Unavailable(
            _("The page this leads to has no proper address."),
            fix=_("Try again; tell support if it stays so."),
        )
    response = make_response(render_template("away.html", url=url, host=parts.netloc))
    response.headers["Refresh"] = f"0;url={url}"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
