"""Pure values: money, periods, ids, principals, and every frozen dataclass that crosses a hook.

Nothing here imports Flask, SQLAlchemy or any other floor of the house.
"""

from chom_core.values.access import Access
from chom_core.values.errors import (
    ChomError,
    Conflict,
    Invalid,
    NotFound,
    PaymentRequired,
    PluginFailed,
    Refused,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod, Period
from chom_core.values.principal import ANONYMOUS, SYSTEM, Principal, Role, StaffRole

__all__ = [
    "ANONYMOUS",
    "SYSTEM",
    "Access",
    "BillingPeriod",
    "ChomError",
    "Conflict",
    "Invalid",
    "Money",
    "NotFound",
    "PaymentRequired",
    "Period",
    "PluginFailed",
    "Principal",
    "Refused",
    "Role",
    "StaffRole",
    "TooMany",
    "Unauthenticated",
    "Unavailable",
    "uuid7",
]
