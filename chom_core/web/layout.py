"""Wires the look into a Flask app: static files, Jinja globals and filters, and defaults for what every page shows.

A page's context may hold `brand`, `person`, `organisation`, `organisations`, `nav`, `unread` and `banner`; what a
context processor does not set has the quiet default below, so an error page renders with nothing behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Flask, current_app, request
from flask_babel import get_locale
from markupsafe import Markup, escape
from msgspec import Struct, field

from chom_core.web import charts, formats, live
from chom_core.web.colours import brand_css
from chom_core.web.kept import kept
from chom_core.web.status import look, status

STATIC = Path(__file__).parent / "static"
PREFIX = "/assets"
THEME_COOKIE = "chom_theme"


class Brand(Struct, frozen=True):
    """Who the page speaks for. `tokens`: see `colours.brand_css`."""

    name: str = "CHOM"
    logo_url: str = ""
    logo_dark_url: str = ""
    favicon_url: str = ""
    tokens: Mapping[str, str] = field(default_factory=dict)
    support_url: str = ""
    terms_url: str = ""
    privacy_url: str = ""


class NavEntry(Struct, frozen=True):
    """One line of the sidebar. `badge` is a short count or word; `key` a letter: `g` then it goes there."""

    label: str
    href: str
    icon: str = "point"
    active: bool = False
    badge: str = ""
    key: str = ""


class NavSection(Struct, frozen=True):
    """Lines of the sidebar under one heading (none for the first)."""

    items: tuple[NavEntry, ...]
    label: str = ""


class Banner(Struct, frozen=True):
    """A bar above every page: the sandbox, «viewing as», a card that failed. `action` posts when `post` is set."""

    text: str
    tone: str = "info"
    icon: str = "info-circle"
    action_label: str = ""
    action_url: str = ""
    post: bool = False


class _Assets(Blueprint):
    """Static files under content-hashed addresses: browsers keep them for a year."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        return 31_536_000 if "v" in request.args else 3600


@lru_cache(maxsize=512)
def _hashed(path: str, changed: float) -> str:
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    return f"{PREFIX}/{path}?v={digest}"


@lru_cache(maxsize=512)
def _found(path: str) -> str:
    try:
        return _hashed(path, (STATIC / path).stat().st_mtime)
    except (
        OSError
    ):  # vendor files are there only after the assets were built; the page still works without them
        return f"{PREFIX}/{path}"


def asset(path: str) -> str:
    """The address of a file in `web/static`, with its content's hash (stat'ed on every call in debug only)."""
    if current_app and current_app.debug:
        _found.cache_clear()
    return _found(path)


@lru_cache(maxsize=1024)
def _icon(name: str, css: str, sprite: str) -> Markup:
    return Markup(
        '<svg class="icon {}" aria-hidden="true" focusable="false" viewBox="0 0 24 24"><use href="{}#{}"/></svg>'
    ).format(css, sprite, name)


def icon(name: str, css: str = "") -> Markup:
    """A Tabler icon from the sprite; decoration only, so always beside a word or inside a labelled button."""
    return _icon(name, css, asset("vendor/icons.svg"))


def theme() -> str:
    """`light`, `dark`, or empty: follow the system."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in {"light", "dark"} else ""


def attributes(**values: object) -> Markup:
    """HTML attributes from keywords: None and False are left out, True has no value, `_` reads `-`."""
    shown = [
        Markup(" {}").format(name.replace("_", "-").rstrip("-"))
        if value is True
        else Markup(' {}="{}"').format(name.replace("_", "-").rstrip("-"), escape(value))
        for name, value in values.items()
        if value is not None and value is not False
    ]
    return Markup("").join(shown)


DEFAULTS: dict[str, object] = {
    "brand": Brand(),
    "person": None,
    "organisation": None,
    "organisations": (),
    "nav": (),
    "unread": 0,
    "banner": (),
    "account_menu": (),
    "public_nav": (),
    "home_url": "/",
    "login_url": "/login",
    "signup_url": "/signup",
    "logout_url": "/logout",
    "bell_url": "/notifications",
    "csrf_token": lambda: "",
    "csp_nonce": lambda: "",
}


def init_app(app: Flask) -> None:
    """Make the kit's templates, static files, globals and filters known to `app`; once, before others add theirs."""
    app.register_blueprint(
        _Assets(
            "assets", __name__, static_folder="static", static_url_path=PREFIX, template_folder="templates"
        )
    )
    env = app.jinja_env
    env.trim_blocks = env.lstrip_blocks = True
    for name, value in DEFAULTS.items():
        env.globals.setdefault(name, value)
    env.globals.update(
        asset=asset,
        icon=icon,
        kept=kept,
        status=status,
        look=look,
        theme=theme,
        attributes=attributes,
        brand_css=brand_css,
        locale=lambda: str(get_locale() or "en").replace("_", "-"),
        sparkline=charts.sparkline,
        live_interval=live.FIRST_MS,
    )
    env.filters.update(
        money=formats.money,
        unit_price=formats.unit_price,
        number=formats.number,
        percent=formats.percent,
        size=formats.size,
        date=formats.day,
        datetime=formats.moment,
        clock=formats.clock_time,
        duration=formats.duration,
        ago=formats.ago,
        initials=formats.initials,
        browser=formats.browser,
        lines=formats.lines,
    )
