"""The one clock. Business time can be moved per organisation by a test clock; leases run on machine time."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import UTC, datetime

#: The instant at which the current unit's organisation stands, where it has a test clock.
standing: ContextVar[datetime | None] = ContextVar("chom_standing", default=None)


def machine() -> datetime:
    """The machine's time, UTC: for leases, timeouts and logs, never for money."""
    return datetime.now(UTC)


def now() -> datetime:
    """Business time, UTC: the organisation's test clock where it has one, else the machine's time."""
    return standing.get() or machine()
