"""The database floor: one engine, three roles, tenancy that every table declares, migrations, clock and actor.

A *unit of work* (`transaction`) is one session on one connection with one organisation for its whole life. Everything
above asks `session()` for the current one; nothing opens connections of its own.
"""

from chom_core.database.actor import acting_as, actor
from chom_core.database.base import (
    AppendOnly,
    Model,
    PlatformRow,
    ResellerRow,
    TenantRow,
    plugin_models,
)
from chom_core.database.encrypted import Encrypted
from chom_core.database.rows import afresh, held, here, locked
from chom_core.database.tenants import PLATFORM_ID, Tenant
from chom_core.database.unit import (
    Unit,
    after_commit,
    bind_tenant,
    commit_with,
    current,
    everyone,
    one_connection,
    restart,
    session,
    transaction,
)

__all__ = [
    "PLATFORM_ID",
    "AppendOnly",
    "Encrypted",
    "Model",
    "PlatformRow",
    "ResellerRow",
    "Tenant",
    "TenantRow",
    "Unit",
    "acting_as",
    "actor",
    "afresh",
    "after_commit",
    "bind_tenant",
    "commit_with",
    "current",
    "everyone",
    "held",
    "here",
    "locked",
    "one_connection",
    "plugin_models",
    "restart",
    "session",
    "transaction",
]
