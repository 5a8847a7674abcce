"""Billing's pages. Importing the parts adds their routes."""

from chom_core.billing.pages import (
    catalogue,
    checkout,
    credit,
    customer,
    disputes,
    dunning,
    ledger,
    lists,
    payouts,
    plans,
    profile,
    reselling,
    reselling_unpaid,
    rules,
    selling,
    staff,
    staff_money,
    taxes,
)
from chom_core.billing.pages.base import pages
from chom_core.billing.pages.staff import desk

__all__ = [
    "catalogue",
    "checkout",
    "credit",
    "customer",
    "desk",
    "disputes",
    "dunning",
    "ledger",
    "lists",
    "pages",
    "payouts",
    "plans",
    "profile",
    "reselling",
    "reselling_unpaid",
    "rules",
    "selling",
    "staff",
    "staff_money",
    "taxes",
]
