"""The pages of identity. Importing the parts adds their routes to `pages`."""

from chom_core.identity.pages import invitations, keys, login, me, organisation, people, signup
from chom_core.identity.pages.base import pages

__all__ = ["invitations", "keys", "login", "me", "organisation", "pages", "people", "signup"]
