"""Differences between our books and Stripe's: written down, and marked as resolved once they are gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from chom_sdk import session, uuid7
from chom_sdk.work import enqueue
from chom_stripe.models import Difference


@dataclass(frozen=True, slots=True)
class Ask:
    """A job that asks Stripe how something stands: a repair that moves no money."""

    kind: str
    args: Mapping[str, str]
    tenant_id: UUID | None


@dataclass(frozen=True, slots=True)
class Found:
    """A difference. `ask`: what repairs it, `repair` in words."""

    kind: str
    subject: str
    ours: str
    theirs: str
    repair: str = ""
    ask: Ask | None = None


def note(mode: str, found: Found, now: datetime) -> None:
    """Write it down, and begin its repair."""
    values = {"ours": found.ours[:200], "theirs": found.theirs[:200], "repair": found.repair[:200], "seen_at": now,
              "resolved_at": None}  # fmt: skip
    row = insert(Difference).values(
        id=uuid7(), created_at=now, mode=mode, kind=found.kind, subject=found.subject[:250], **values
    )
    session().execute(row.on_conflict_do_update(index_elements=["mode", "kind", "subject"], set_=values))
    if found.ask is not None:
        enqueue(found.ask.kind, dict(found.ask.args), tenant_id=found.ask.tenant_id)


def resolve(mode: str, now: datetime) -> None:
    """What was not found again is no longer different."""
    gone = update(Difference).where(
        Difference.mode == mode, Difference.seen_at < now, Difference.resolved_at.is_(None)
    )
    session().execute(gone.values(resolved_at=now))


def listed(*, open_only: bool = True) -> list[Difference]:
    """What the last runs found, newest first."""
    query = select(Difference).order_by(Difference.seen_at.desc(), Difference.id).limit(500)
    return list(session().scalars(query.where(Difference.resolved_at.is_(None)) if open_only else query))
