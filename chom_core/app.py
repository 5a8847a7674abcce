"""The web application, put together. Reads like a table of contents; each line is a floor or a domain."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from flask import Flask, g
from flask_babel import Babel

from chom_core import config, front, logs
from chom_core.console import health, watch
from chom_core.database import encrypted, engine
from chom_core.plugin_host import gate, lifecycle, registry
from chom_core.plugin_host.registry import Role
from chom_core.rest import ApiRoutes, access, api, routes
from chom_core.rest.request import RequestGate
from chom_core.rest.rules import LateRule
from chom_core.schema import core_history
from chom_core.values.access import Access
from chom_core.web import Pages, banners, compiled, errors, layout, nav, reader, security, slots
from chom_core.work import handlers, wake

#: The domains, bottom up; each may have the rooms api and pages.
DOMAINS = ("audit", "identity", "branding", "notifications", "provisioning", "billing", "console")


def create_app(settings: config.Settings | None = None) -> Flask:
    """The WSGI application. Raises UndeclaredRoute where a route says not who may call it."""
    settings = settings or config.from_environment()
    start(settings, "web")
    app = Flask("chom_core", static_folder=None)
    app.url_rule_class = LateRule
    app.url_map.strict_slashes = False  # a client that forgets a slash is no reason for a second request
    app.config.update(
        SECRET_KEY=settings.cookie_key,
        SESSION_COOKIE_NAME="chom",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,  # it outlives the log-in it carries: nothing to sign anew on each answer
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
        MAX_CONTENT_LENGTH=8 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=settings.public_url.startswith("https://"),
    )
    Babel(app, locale_selector=_locale, timezone_selector=_zone)  # type: ignore[no-untyped-call]
    logs.init_app(app)
    watch.init_app(app)
    layout.init_app(app)
    compiled.init_app(app)
    reader.init_app(app)
    errors.init_app(app)
    document = api.init_app(app)
    _request_gate().init_app(app)
    security.init_app(app)  # after the gate: what is off is 404 before anybody asks for a form token
    for domain in _domains(settings):
        _mount_domain(app, document, domain)
    _mount(app, document, front, None)
    for loaded in registry.loaded.values():
        _mount_plugin(app, document, loaded.plugin.name, loaded.package, loaded.rooms)
    app.context_processor(_context)
    app.jinja_env.globals["slot"] = slots.slot
    access.declare(app, "assets.static", Access("public", "none"), bare=True)
    access.check_complete(app)
    return app


def start(settings: config.Settings, role: Role) -> None:
    """What every process does first: settings, database, keys, wake-ups, plugins."""
    config.use(settings)
    logs.configure(settings)
    engine.configure(settings.database_url)
    encrypted.configure(settings.secret_keys)
    wake.configure(settings.redis_url)
    health.use(core_history)
    for domain in _domains(settings):
        for name in ("models",) if role == "web" else ("models", "jobs"):
            room(domain, name)
    if role != "web":
        import_module("chom_core.schedules")  # its handlers belong to the core itself
    if not registry.loaded:
        installed = lifecycle.installed_heads()
        registry.discover(role, partial(lifecycle.unfit, installed), partial(lifecycle.absent, installed))
    handlers.gate = gate.is_enabled


def _domains(settings: config.Settings) -> tuple[str, ...]:
    return (*DOMAINS, "demo") if settings.demo else DOMAINS


def room(domain: str, name: str) -> ModuleType | None:
    qualified = f"chom_core.{domain}.{name}"
    return import_module(qualified) if find_spec(f"chom_core.{domain}") and find_spec(qualified) else None


def _mount_domain(app: Flask, document: api.ApiDocument, domain: str) -> None:
    for name in ("jobs", "api", "pages"):
        module = room(domain, name)
        if module is not None:
            _mount(app, document, module, None)


def _mount_plugin(
    app: Flask, document: api.ApiDocument, name: str, package: str, rooms: dict[str, ModuleType | None]
) -> None:
    for module in rooms.values():
        for blueprint in _blueprints(module):
            wrong = routes.wrong_place(blueprint, package)
            if wrong:
                raise access.UndeclaredRoute(f"the plugin {name} mounts a foreign route: {wrong}")
        _mount(app, document, module, name)


def _blueprints(module: ModuleType | None) -> list[Pages | ApiRoutes]:
    found = [item for item in vars(module or object).values() if isinstance(item, (Pages, ApiRoutes))]
    return sorted(set(found), key=lambda item: str(item.name))


def _mount(app: Flask, document: api.ApiDocument, module: ModuleType | None, plugin: str | None) -> None:
    for blueprint in _blueprints(module):
        if blueprint.name in app.blueprints:
            continue
        blueprint.plugin = plugin
        if isinstance(blueprint, ApiRoutes):
            document.mount(blueprint)
            security.csrf.exempt(blueprint)
        else:
            app.register_blueprint(blueprint)


def _request_gate() -> RequestGate:
    from chom_core.identity.authentication import authenticate, locate

    return RequestGate(authenticate, locate)


def _locale() -> str:
    return str(getattr(g, "locale", None) or "en")


def _zone() -> str:
    return str(getattr(g, "zone", None) or "UTC")


def _context() -> dict[str, Any]:
    """What every page's layout shows. Each value is computed where the template asks, so an error page asks nothing."""
    return {
        "nav": nav.sections(),
        "person": g.get("person"),
        "organisation": g.get("organisation"),
        "banner": banners.shown(),
    }
