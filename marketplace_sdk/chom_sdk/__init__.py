"""chom_sdk: everything a plugin may use of CHOM. What is not here is not part of the contract.

    from chom_sdk import Plugin, Pages, hookimpl, session
    from chom_sdk import billing, provisioning, notifications      # verbs and read models, by section

Verbs change core data for you (`notifications.notify(...)`); read models are frozen dataclasses and ids, never rows.
Your own tables are yours: `Base = plugin_models("yours")`, `class Note(TenantRow, Base)`.
"""

from chom_core.database import (
    AppendOnly,
    Encrypted,
    PlatformRow,
    ResellerRow,
    TenantRow,
    clock,
    plugin_models,
    session,
    transaction,
)
from chom_core.hookspecs import hookimpl
from chom_core.plugin_host import SDK_VERSION, Meter, NavItem, Plugin, Schedule, Scope
from chom_core.rest import ApiRoutes, Page, organisation_id, paginate, principal
from chom_core.rest.paging import asked as asked_page
from chom_core.values import (
    BillingPeriod,
    Conflict,
    Invalid,
    Money,
    NotFound,
    PaymentRequired,
    Period,
    Principal,
    Refused,
    Role,
    Unavailable,
    uuid7,
)
from chom_core.values.lifecycle import Erasure, Exporting, Turn
from chom_core.web import Pages, away, render
from chom_core.web.export import csv_response
from chom_core.web.forms import Form
from chom_core.work import Job, job

__version__ = SDK_VERSION
__all__ = [
    "SDK_VERSION",
    "ApiRoutes",
    "AppendOnly",
    "BillingPeriod",
    "Conflict",
    "Encrypted",
    "Erasure",
    "Exporting",
    "Form",
    "Invalid",
    "Job",
    "Meter",
    "Money",
    "NavItem",
    "NotFound",
    "Page",
    "Pages",
    "PaymentRequired",
    "Period",
    "PlatformRow",
    "Plugin",
    "Principal",
    "Refused",
    "ResellerRow",
    "Role",
    "Schedule",
    "Scope",
    "TenantRow",
    "Turn",
    "Unavailable",
    "asked_page",
    "away",
    "clock",
    "csv_response",
    "hookimpl",
    "job",
    "organisation_id",
    "paginate",
    "plugin_models",
    "principal",
    "render",
    "session",
    "transaction",
    "uuid7",
]
