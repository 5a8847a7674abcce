"""Usage: what is used of each allowance, day by day, with alerts and what another plan saves (document A, §4)."""

from flask_babel import lazy_gettext as _l

from chom_sdk import NavItem, Plugin, Role, Schedule, Scope
from chom_sdk.notifications import Category, NotificationType

plugin = Plugin(
    name="usage_billing",
    title="Usage",
    description="See what you use by meter, day and event; alerts at 80, 90 and 100 %; what an upgrade saves.",
    scopes=(Scope("usage_billing:read", "See alerts of use and what each plan would cost"),),
    plans=("starter", "pro", "enterprise"),
    nav=(NavItem(_l("Usage"), "usage_billing.index", "gauge", "Money", "viewer", 15),),
    schedules=(Schedule("usage-alerts", "20 * * * *", "usage_billing.look"),),
    notifications=(
        NotificationType(
            "usage_billing.alert",
            _l("An allowance is being used up"),
            Category.BILLING,
            roles=(Role.OWNER, Role.ADMIN, Role.BILLING),
        ),
    ),
)
