"""Everything of CHOM that this plugin uses, in one place."""

from chom_core.database import PlatformRow, clock, plugin_models, session, transaction
from chom_core.hookspecs import hookimpl
from chom_core.plugin_host import NavItem, Plugin
from chom_core.values import Conflict, Invalid, Money, NotFound, uuid7
from chom_core.values.billing import (
    CardForm,
    CardFormQuery,
    CardSubmission,
    FollowUp,
    Gateway,
    GatewayQuery,
    PaymentRequest,
    PaymentResult,
    PaymentStatus,
    SavedMethod,
)
from chom_core.web import Pages, render

__all__ = [
    "CardForm",
    "CardFormQuery",
    "CardSubmission",
    "Conflict",
    "FollowUp",
    "Gateway",
    "GatewayQuery",
    "Invalid",
    "Money",
    "NavItem",
    "NotFound",
    "Pages",
    "PaymentRequest",
    "PaymentResult",
    "PaymentStatus",
    "PlatformRow",
    "Plugin",
    "SavedMethod",
    "clock",
    "hookimpl",
    "plugin_models",
    "render",
    "session",
    "transaction",
    "uuid7",
]
