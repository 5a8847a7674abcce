"""Each key moves money once, for ever: longer than Stripe remembers idempotency keys (a day).

The attempt is saved and committed before the call. Whoever comes later with the same key gets what the first made, by
its reference; where the first never heard an answer, the same key is sent again while Stripe still knows it, and after
that Stripe is searched for what the key made before anything new is made.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chom_sdk import clock, transaction, uuid7
from chom_stripe.models import Attempt

#: Shorter than the day that Stripe promises.
REMEMBERED = timedelta(hours=20)
T = TypeVar("T")


def once(
    mode: str,
    key: str,
    owner_id: UUID,
    *,
    create: Callable[[], T],
    fetch: Callable[[str], T],
    find: Callable[[], T | None],
) -> T:
    """What `key` made: fetched where it is known, found where it may be there, created otherwise."""
    reference, sent_at, fresh = _claim(mode, key, owner_id)
    if reference:
        return fetch(reference)
    old = not fresh and clock.now() - sent_at > REMEMBERED
    made = (find() if old else None) or create()
    note(mode, key, made.id)  # type: ignore[attr-defined]  # every object of Stripe has an id
    return made


def decide(mode: str, key: str, owner_id: UUID, destination: str) -> str | None:
    """Where the payment of `key` goes: as its first try said, whatever is true now; None where that said nothing."""
    with transaction() as here:
        _insert(here, mode, key, owner_id, destination)
        kept = select(Attempt.destination).where(Attempt.mode == mode, Attempt.key == key)
        return here.scalars(kept).one()


def note(mode: str, key: str, reference: str) -> None:
    """Remember what the key made."""
    with transaction() as here:
        known = update(Attempt).where(Attempt.mode == mode, Attempt.key == key, Attempt.reference == "")
        here.execute(known.values(reference=reference))


def begun(mode: str, key: str) -> bool:
    """Was anything ever asked under `key`, whatever came of it?"""
    with transaction() as here:
        kept = select(Attempt.id).where(Attempt.mode == mode, Attempt.key == key)
        return here.scalar(kept) is not None


def _claim(mode: str, key: str, owner_id: UUID) -> tuple[str, datetime, bool]:
    with transaction() as here:
        fresh = _insert(here, mode, key, owner_id, None)
        kept = here.scalars(select(Attempt).where(Attempt.mode == mode, Attempt.key == key)).one()
        return kept.reference, kept.sent_at, fresh


def _insert(here: Session, mode: str, key: str, owner_id: UUID, destination: str | None) -> bool:
    now = clock.now()
    row = insert(Attempt).values(
        id=uuid7(), created_at=now, mode=mode, key=key, owner_id=owner_id, sent_at=now, reference="",
        destination=destination,
    )  # fmt: skip
    made = row.on_conflict_do_nothing(index_elements=["mode", "key"]).returning(Attempt.id)
    return here.scalar(made) is not None
