"""Referrals: customers, affiliates and partners earn by sending new customers (document A, §6)."""

from flask_babel import lazy_gettext as _l

from chom_sdk import NavItem, Plugin, Role, Schedule, Scope
from chom_sdk.notifications import Category, NotificationType

_MONEY = (Role.OWNER, Role.ADMIN, Role.BILLING)

plugin = Plugin(
    name="referrals",
    title="Referrals",
    description="Customers, affiliates and partners earn by sending new customers: links, commissions, payouts.",
    level="platform",
    scopes=(
        Scope("referrals:read", "See referral links, referrals and earnings"),
        Scope("referrals:write", "Make referral links"),
    ),
    settings="ReferralsSettings",
    nav=(
        NavItem(_l("Referrals"), "referrals.index", "gift", "Money", "viewer", 70),
        NavItem(_l("Referrals"), "referrals_staff.overview", "gift", "Staff", "staff", 47),
    ),
    schedules=(Schedule("referrals-payouts", "0 6 * * *", "referrals.payouts", per="platform"),),
    events={
        "organisation.created": "referrals.attribute",
        "invoice.finalised": "referrals.follow",
        "invoice.paid": "referrals.follow",
        "invoice.reopened": "referrals.follow",
        "invoice.voided": "referrals.follow",
        "credit_note.issued": "referrals.follow",
        "payment.refunded": "referrals.follow",
        "refund.failed": "referrals.follow",
        "payout.posted": "referrals.paid_out",
    },
    notifications=(
        NotificationType("referrals.joined", _l("Somebody signed up by your link"), Category.BILLING),
        NotificationType("referrals.earned", _l("You earned a commission"), Category.BILLING, roles=_MONEY),
        NotificationType(
            "referrals.taken_back", _l("A commission was taken back"), Category.BILLING, roles=_MONEY
        ),
        NotificationType(
            "referrals.paid_out", _l("Your earnings were paid out"), Category.BILLING, roles=_MONEY
        ),
        NotificationType(
            "referrals.decided", _l("Your application to a programme was answered"), Category.BILLING
        ),
    ),
)
