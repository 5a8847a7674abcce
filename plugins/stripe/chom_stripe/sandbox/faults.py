"""Faults on demand. Armed by name and count; each call (or event) that can have it takes one."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from chom_sdk import clock, session, uuid7
from chom_stripe.models import SandboxFault
from chom_stripe.sandbox.store import Refusal

#: Of calls: lost (done, but the answer never arrives), conflict, rate_limit, error, unbooked (a fee of a payment or
#: a dispute is known only when somebody looks again). Of webhooks: late, doubled, shuffled, forged (a false event
#: beside the true one), silent (never delivered).
CALLS = ("lost", "conflict", "rate_limit", "error", "unbooked")
WEBHOOKS = ("late", "doubled", "shuffled", "forged", "silent")
_BEFORE = {
    "conflict": Refusal(409, "This object is in use by another request.", code="lock_timeout"),
    "rate_limit": Refusal(429, "Too many requests. Try again in a moment.", code="rate_limit"),
    "error": Refusal(500, "An unknown error occurred.", kind="api_error"),
}


def arm(name: str, times: int = 1) -> None:
    """The next `times` calls (events) have this fault. Zero disarms it."""
    if name not in CALLS + WEBHOOKS:
        raise ValueError(f"the sandbox has no fault {name!r}")
    row = insert(SandboxFault).values(id=uuid7(), created_at=clock.machine(), name=name, left=times)
    session().execute(row.on_conflict_do_update(index_elements=["name"], set_={"left": times}))


def armed() -> dict[str, int]:
    """What waits."""
    rows = session().execute(select(SandboxFault.name, SandboxFault.left).where(SandboxFault.left > 0))
    return {row.name: row.left for row in rows}


def take(name: str) -> bool:
    """Is this fault armed? Uses it up once."""
    done = update(SandboxFault).where(SandboxFault.name == name, SandboxFault.left > 0)
    return session().scalar(done.values(left=SandboxFault.left - 1).returning(SandboxFault.id)) is not None


def before(method: str) -> Refusal | None:
    """The fault that keeps this call from happening."""
    if method != "post":
        return None
    return next((refusal for name, refusal in _BEFORE.items() if take(name)), None)


def after(method: str) -> bool:
    """Is this call's answer lost?"""
    return method == "post" and take("lost")
