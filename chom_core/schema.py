"""The whole schema of the core: importing this imports every model, so that migrations and checks see them all."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import chom_core
from chom_core.database import Model, migrations

#: Every floor that keeps tables.
FLOORS = (
    "database.tenants",
    "work.models",
    "plugin_host.models",
    "rest.models",
    "audit.models",
    "identity.models",
    "branding.models",
    "notifications.models",
    "provisioning.models",
    "billing.models",
)


def core_history() -> migrations.History:
    """The core's line of migrations. In a wheel they lie inside the package, in a checkout beside it."""
    for floor in FLOORS:
        import_module(f"chom_core.{floor}")
    package = Path(str(chom_core.__file__)).parent
    inside = package / "migrations" / "versions"
    versions = inside if inside.is_dir() else package.parent / "migrations" / "versions"
    from chom_core.billing import ddl

    return migrations.History("core", Model, versions, ddl.STATEMENTS)
