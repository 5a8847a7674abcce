"""The tables of identity: people and their log-ins, organisations' members, keys, mailed tokens, throttles.

All are platform rows: whoever logs in, or shows a key, is found before any organisation is known.
"""

from chom_core.identity.models.access import ApiKey, LoginAttempt, LoginSession
from chom_core.identity.models.people import EmailToken, Invitation, Membership, Person

__all__ = ["ApiKey", "EmailToken", "Invitation", "LoginAttempt", "LoginSession", "Membership", "Person"]
