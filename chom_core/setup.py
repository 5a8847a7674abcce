"""Setting an installation up: migrate the core, install plugins, register what runs by itself."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from chom_core import config
from chom_core.app import DOMAINS, room
from chom_core.database import encrypted, engine, transaction
from chom_core.database.tenants import ensure_platform
from chom_core.plugin_host import lifecycle, registry
from chom_core.schema import core_history
from chom_core.values.errors import NotFound
from chom_core.work import subscribe
from chom_core.work.events import registered


def migrate(settings: config.Settings, owner_url: str, *, install_all: bool = False) -> Iterator[str]:
    """Bring everything to its head; yields a line for each history. Running it again changes nothing."""
    core_history().upgrade(owner_url)
    yield f"core is at {core_history().head()}"
    owner = create_engine(owner_url, poolclass=NullPool)
    with owner.begin() as connection:
        ensure_platform(connection)
    _begin(settings)
    register_core()
    installed = lifecycle.installed_heads()
    for name, loaded in registry.loaded.items():
        if install_all or name in installed:
            lifecycle.install(loaded, owner_url)
            yield f"{name} {loaded.version} is installed"
    for name, skipped in registry.skipped.items():
        yield f"{name} was skipped: {skipped.why}"


def install(settings: config.Settings, owner_url: str, name: str) -> str:
    """Install or upgrade one plugin."""
    _begin(settings)
    if name in registry.skipped:
        raise NotFound(f"{name} cannot be installed: {registry.skipped[name].why}")
    if name not in registry.loaded:
        raise NotFound(f"There is no plugin {name} here.", fix="Install its wheel first: pip install chom-…")
    lifecycle.install(registry.loaded[name], owner_url)
    return f"{name} {registry.loaded[name].version} is installed"


def register_core() -> None:
    """Write the core's own event handlers and schedules as rows."""
    from chom_core.schedules import install_core_schedules

    rooms = [found for domain in DOMAINS if (found := room(domain, "jobs"))]
    with transaction():
        subscribe(None, registered(None))
        install_core_schedules(spec for item in rooms for spec in getattr(item, "SCHEDULES", ()))


def _begin(settings: config.Settings) -> None:
    config.use(settings)
    engine.configure(settings.database_url)
    encrypted.configure(settings.secret_keys)
    if not registry.loaded:
        registry.discover("all")
