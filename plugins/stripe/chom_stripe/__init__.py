"""Cards, refunds, disputes and payouts with Stripe: its table of contents."""

from flask_babel import lazy_gettext as _l

from chom_sdk import NavItem, Plugin, Schedule

plugin = Plugin(
    name="stripe",
    title="Stripe",
    description="Cards with the bank's second step, refunds, disputes and payouts with Stripe; a sandbox without keys.",
    level="platform",
    settings="StripeSettings",
    nav=(
        NavItem("Stripe", "stripe.overview", "credit-card", "Staff", "staff", 46),
        NavItem(_l("Payout account"), "stripe.account", "wallet", "Money", "billing", 60),
    ),
    schedules=(Schedule("stripe-reconcile", "20 4 * * *", "stripe.reconcile", per="platform"),),
    events={"payment_method.removed": "stripe.detach"},
)
