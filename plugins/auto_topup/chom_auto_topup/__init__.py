"""Auto top-up: account credit that fills itself up from a card when it runs low (document B, §10)."""

from flask_babel import lazy_gettext as _l

from chom_sdk import NavItem, Plugin, Role, Schedule, Scope
from chom_sdk.notifications import Category, NotificationType

_PAYERS = (Role.OWNER, Role.ADMIN, Role.BILLING)

plugin = Plugin(
    name="auto_topup",
    title="Auto top-up",
    description="Account credit that tops itself up from a card when it runs low, with a monthly limit.",
    scopes=(
        Scope("auto_topup:read", "See when credit is topped up, and the history"),
        Scope("auto_topup:write", "Set when a card is charged for credit by itself"),
    ),
    plans=("starter", "pro", "enterprise"),
    nav=(NavItem(_l("Auto top-up"), "auto_topup.index", "refresh", "Money", "billing", 50),),
    schedules=(Schedule("auto-topup-daily", "15 6 * * *", "auto_topup.check"),),
    events={
        "credit.used": "auto_topup.check",
        "credit.topped_up": "auto_topup.check",
        "credit.top_up_failed": "auto_topup.check",
        "dispute.open": "auto_topup.stop",
    },
    notifications=(
        NotificationType(
            "auto_topup.topped_up", _l("Credit was topped up by itself"), Category.BILLING, roles=_PAYERS
        ),
        NotificationType(
            "auto_topup.declined", _l("An automatic top-up was declined"), Category.BILLING, roles=_PAYERS
        ),
        NotificationType(
            "auto_topup.paused",
            _l("Automatic top-ups are paused"),
            Category.BILLING,
            mandatory=True,
            roles=_PAYERS,
        ),
        NotificationType(
            "auto_topup.limited",
            _l("The monthly limit of top-ups is reached"),
            Category.BILLING,
            roles=_PAYERS,
        ),
    ),
)
