"""Billing over the API. Importing the parts adds their routes."""

from chom_core.billing.api import documents, usage
from chom_core.billing.api.base import api

__all__ = ["api", "documents", "usage"]
