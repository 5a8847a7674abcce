"""Budgets: what a month may cost, alerts on the way, and a limit that does what was chosen (document B, §21)."""

from flask_babel import lazy_gettext as _l

from chom_sdk import NavItem, Plugin, Role, Schedule, Scope
from chom_sdk.notifications import Category, NotificationType

_PAYERS = (Role.OWNER, Role.ADMIN, Role.BILLING)

plugin = Plugin(
    name="budgets",
    title="Budgets",
    description="Budgets by the month: alerts, a forecast, and a limit that does what you chose.",
    uses=("projects",),
    scopes=(
        Scope("budgets:read", "See budgets and what was spent of them"),
        Scope("budgets:write", "Set budgets, and let purchases pass in spite of one"),
    ),
    plans=("starter", "pro", "enterprise"),
    nav=(NavItem(_l("Budgets"), "budgets.index", "chart-bar", "Money", "billing", 60),),
    schedules=(Schedule("budgets-look", "7 */4 * * *", "budgets.look"),),
    events={"invoice.finalised": "budgets.look"},
    notifications=(
        NotificationType("budgets.alert", _l("A budget is being used up"), Category.BILLING, roles=_PAYERS),
        NotificationType(
            "budgets.paused",
            _l("Services are paused by a budget"),
            Category.BILLING,
            mandatory=True,
            roles=_PAYERS,
        ),
        NotificationType(
            "budgets.started", _l("Services that a budget paused run again"), Category.BILLING, roles=_PAYERS
        ),
    ),
)
