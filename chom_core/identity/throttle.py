"""Growing waits after repeated attempts, kept in SQL: a restart, a second web process or an emptied Redis forgets none.

An attempt is counted before the password is looked at, in a transaction of its own: what fails afterwards does not
undo the count, and a hundred attempts at once count a hundred. Unknown accounts are throttled like known ones.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext
from msgspec import Struct
from sqlalchemy import delete, update

from chom_core.database import clock, session, transaction
from chom_core.identity.addresses import fold
from chom_core.identity.models import LoginAttempt
from chom_core.values.errors import TooMany
from chom_core.values.ids import uuid7


class Rule(Struct, frozen=True):
    """`free` attempts, then `first` seconds of wait, doubling up to `longest`; a quiet day forgets all."""

    free: int
    first: int = 30
    longest: int = 900


DAY = timedelta(days=1)
#: By kind: the rule for one account and for one address (many people may share that).
RULES: dict[str, tuple[Rule, Rule]] = {
    "login": (Rule(5), Rule(30, longest=3600)),
    "signup": (Rule(3, 60, 3600), Rule(10, 60, 3600)),
    "forgot": (Rule(3, 60, 3600), Rule(10, 60, 3600)),
    "resend": (Rule(3, 60, 3600), Rule(10, 60, 3600)),
    "token": (Rule(20), Rule(20, 30, 3600)),
    "invite": (Rule(50, 60, 3600), Rule(100, 60, 3600)),
}

# «Not blocked» lies a minute back, not at the very instant: of two who try at once, the one whose clock reading was
# a hair earlier must not find himself blocked by the other.
_CLEAR = timedelta(seconds=60)
_COUNT = """
insert into core.login_attempt as a (id, created_at, kind, key, count, last_at, blocked_until)
values (%(id)s, %(now)s, %(kind)s, %(key)s, 1, %(now)s,
        %(now)s + make_interval(secs => case when %(free)s <= 1 then %(first)s else -60 end))
on conflict (kind, key) do update set
  count = case when a.last_at < %(forget)s then 1 else a.count + 1 end,
  last_at = %(now)s,
  blocked_until = %(now)s + make_interval(secs => case
    when a.last_at < %(forget)s or a.count + 1 < %(free)s then -60
    else least(%(longest)s, %(first)s * power(2, least(a.count + 1 - %(free)s, 20))) end)
where a.blocked_until <= %(now)s
returning count
"""
_BLOCKED = "select blocked_until from core.login_attempt where kind = %s and key = %s"


class Throttled(TooMany):
    """Too many attempts; `retry_after` in seconds."""

    def __init__(self, until: datetime, now: datetime) -> None:
        self.retry_after = max(1, math.ceil((until - now).total_seconds()))
        minutes = math.ceil(self.retry_after / 60)
        wait = (
            ngettext("one second", "%(num)d seconds", self.retry_after)
            if self.retry_after < 60
            else ngettext("one minute", "%(num)d minutes", minutes)
        )
        super().__init__(
            _("There were too many attempts."),
            fix=_("Try again in %(wait)s (from %(time)s UTC).", wait=wait, time=until.strftime("%H:%M:%S")),
        )


def spend(kind: str, *, account: str = "", address: str = "") -> None:
    """Count an attempt; raise Throttled where account or address must still wait (a refused attempt adds nothing)."""
    now = clock.machine()
    until: datetime | None = None
    with transaction():
        connection = session().connection()
        for key, rule in _keys(kind, account, address):
            values = {
                "id": uuid7(),
                "now": now,
                "kind": kind,
                "key": key,
                "forget": now - DAY,
                "free": rule.free,
            }
            values |= {"first": rule.first, "longest": rule.longest}
            if connection.exec_driver_sql(_COUNT, values).first() is None:
                found: datetime = connection.exec_driver_sql(_BLOCKED, (kind, key)).scalar_one()
                until = max(until, found) if until else found
    if until is not None:
        raise Throttled(until, now)


def succeeded(kind: str, *, account: str = "", address: str = "") -> None:
    """The attempt was genuine: forget the account's count, and take this one off the address's (only this one:
    who logs into an account of their own between guesses gains nothing)."""
    with transaction() as work:
        for key, _rule in _keys(kind, account, address):
            here = (LoginAttempt.kind == kind, LoginAttempt.key == key)
            if key.startswith("account:"):
                work.execute(delete(LoginAttempt).where(*here))
            else:
                less = {"count": LoginAttempt.count - 1, "blocked_until": clock.machine() - _CLEAR}
                work.execute(update(LoginAttempt).where(*here, LoginAttempt.count > 0).values(less))


def purge() -> int:
    """Delete what a quiet day has made void. Returns the number of rows."""
    result = (
        session()
        .connection()
        .execute(delete(LoginAttempt).where(LoginAttempt.last_at < clock.machine() - 2 * DAY))
    )
    return result.rowcount


def _keys(kind: str, account: str, address: str) -> list[tuple[str, Rule]]:
    per_account, per_address = RULES[kind]
    keys = []
    if account:
        keys.append((f"account:{hashlib.sha256(fold(account).encode()).hexdigest()}", per_account))
    if address:
        keys.append((f"address:{network(address)}", per_address))
    return keys


def network(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: a single customer has a whole /64 to come from."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:45]
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped) if ip.ipv4_mapped else str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
