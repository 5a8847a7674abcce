"""Billing over the API. Importing the parts adds their routes."""

from chom_core.billing.api import (
    credit,
    disputes,
    documents,
    dunning,
    plans,
    reselling_unpaid,
    selling,
    settlement,
    usage,
)
from chom_core.billing.api.base import api

__all__ = [
    "api",
    "credit",
    "disputes",
    "documents",
    "dunning",
    "plans",
    "reselling_unpaid",
    "selling",
    "settlement",
    "usage",
]
