"""What the pages of identity share: the blueprint, the cookie's session, addresses to go to, forms that are refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypedDict
from zoneinfo import available_timezones

from flask import g, redirect, render_template, request
from flask import session as cookie
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from chom_core.database import PLATFORM_ID, transaction
from chom_core.identity import service
from chom_core.identity.authentication import TOKEN
from chom_core.plugin_host import NavItem, hooks
from chom_core.values.errors import ChomError
from chom_core.values.identity import Arrival
from chom_core.web import Pages, nav
from chom_core.web.forms import Form
from chom_core.web.layout import NavEntry

pages = Pages("identity", "chom_core.identity", access="viewer")
Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]
HOME = "/home"
#: In the cookie: the address that signed up in this browser and waits for its mail.
PENDING = "pending"

nav.add(
    NavItem("Profile", "identity.organisation", "building", weight=90),
    NavItem("People", "identity.people", "users", access="admin", weight=91),
    NavItem("API keys", "identity.api_keys", "key", access="admin", weight=94),
)


@pages.app_context_processor
def layout() -> dict[str, Any]:
    """What the frame around every page shows of the person."""
    if "person" not in g:
        return {}
    return {
        "organisations": g.organisations,
        "home_url": HOME,
        "account_menu": _account_menu(str(get_locale())),
    }


@lru_cache(maxsize=128)
def _account_menu(_locale: str) -> tuple[NavEntry, ...]:
    return (NavEntry(_("Your account"), "/me", "user"),)


def brought() -> dict[str, dict[str, str]]:
    """What this browser brings along, by plugin: asked of the platform's plugins, kept until its organisation is made.

    An unclean answer is cut, not refused: nobody is kept from signing up by a feature.
    """
    arrival = Arrival(request.cookies.to_dict(), request.args.to_dict())
    with transaction(PLATFORM_ID):
        answers = hooks.arrival_facts(arrival)
    return {
        plugin: {str(name)[:40]: str(word)[:200] for name, word in list(value.items())[:20]}
        for plugin, value, _error in answers
        if value
    }


def enter(made: service.LoggedIn) -> None:
    """Put a new session into the browser. Everything the cookie held before goes, the form token with it: who planted
    a cookie before the log-in knows nothing after it."""
    renew(made.token)


def renew(token: str) -> None:
    """The cookie begins anew with this token."""
    cookie.clear()
    cookie[TOKEN] = token
    cookie.permanent = True
    g.pop("csrf_token", None)


def local(target: str, otherwise: str = HOME) -> str:
    """`target` if it is a path of this site, for redirects: never another host."""
    fine = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if fine and "\\" not in target else otherwise


class Client(TypedDict):
    """Where a request comes from."""

    address: str
    user_agent: str


def client() -> Client:
    """Address and browser of the request, for verbs."""
    return {"address": address(), "user_agent": request.user_agent.string}


def address() -> str:
    return request.remote_addr or ""


def show(template: str, form: Form, error: ChomError | None = None, **context: Any) -> Answer:
    """The page with its form; with the status of what was refused, and when to come back."""
    html = render_template(f"identity/{template}", form=form, **context)
    if error is None:
        return html, form.status
    wait = getattr(error, "retry_after", None)
    return html, error.status, {"Retry-After": str(wait)} if wait else {}


def submit(
    form: Form, act: Callable[[], Response | str], again: Callable[[ChomError | None], Answer]
) -> Answer:
    """Parse what was posted and do `act`; show the page again where the form or the verb refuses."""
    form.parse(request.form)
    if not form.ok:
        return again(None)
    try:
        return act()
    except ChomError as error:
        form.refuse(error)
        return again(error)


def back(url: str) -> Response:
    """See other: after a POST."""
    return redirect(url, 303)


@lru_cache(maxsize=1)
def zones() -> tuple[tuple[str, str], ...]:
    """Every IANA zone that names a place, and UTC."""
    areas = (
        "Africa",
        "America",
        "Antarctica",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    )
    names = sorted(name for name in available_timezones() if name.split("/")[0] in areas)
    return (("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names))


def zone_choices(current: str) -> dict[str, list[tuple[str, str]]]:
    """The choices of a form's zone field; an unusual zone that is set already stays choosable."""
    known = list(zones())
    return {"zone": known if current in {name for name, _label in known} else [(current, current), *known]}
