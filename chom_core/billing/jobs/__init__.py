"""Billing's jobs, each part's in its own file. Importing this registers them; SCHEDULES names when they run."""

from chom_core.billing.jobs import (
    ahead,
    books,
    changes,
    credit,
    dunning,
    payouts,
    purchases,
    usage,
    wholesale,
)

SCHEDULES = (
    *books.SCHEDULES,
    *credit.SCHEDULES,
    *payouts.SCHEDULES,
    *dunning.SCHEDULES,
    *purchases.SCHEDULES,
    *usage.SCHEDULES,
    *wholesale.SCHEDULES,
)

__all__ = [
    "SCHEDULES",
    "ahead",
    "books",
    "changes",
    "credit",
    "dunning",
    "payouts",
    "purchases",
    "usage",
    "wholesale",
]
