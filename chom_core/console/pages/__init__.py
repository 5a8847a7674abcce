"""The pages of the operator's desk, and an organisation's own features. Importing the parts adds their routes."""

from chom_core.console.pages import extensions, features, organisations, today, work
from chom_core.console.pages.base import staff
from chom_core.console.pages.features import pages

__all__ = ["extensions", "features", "organisations", "pages", "staff", "today", "work"]
