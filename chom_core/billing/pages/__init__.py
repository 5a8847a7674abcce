"""Billing's pages. Importing the parts adds their routes."""

from chom_core.billing.pages import checkout, customer, staff
from chom_core.billing.pages.base import pages
from chom_core.billing.pages.staff import desk

__all__ = ["checkout", "customer", "desk", "pages", "staff"]
