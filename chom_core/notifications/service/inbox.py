"""One person's inbox in the unit's organisation. Everybody reads and marks their own messages, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import CursorResult, Select, bindparam, func, select, update

from chom_core.database import clock, current, session
from chom_core.identity.models import ApiKey
from chom_core.notifications.models import Notification
from chom_core.values.errors import Unauthenticated


def me() -> UUID:
    """The person who reads; Unauthenticated where nobody does (a key belongs to the person who made it)."""
    who = current().principal
    person_id = who.person_id
    if who.kind == "key":
        person_id = session().scalar(select(ApiKey.created_by).where(ApiKey.id == who.session_id))
    if person_id is None:
        raise Unauthenticated(
            _("An inbox belongs to a person."), fix=_("Log in, or use a key that a person made.")
        )
    return person_id


def inbox(*, category: str = "", unread: bool = False) -> Select[Notification]:
    """The reader's messages, unsorted, for a list to sort and page."""
    query = select(Notification).where(Notification.person_id == me())
    if category:
        query = query.where(Notification.category == category)
    return query.where(Notification.read_at.is_(None)) if unread else query


_UNREAD = select(func.count(Notification.id)).where(
    Notification.person_id == bindparam("person_id"),
    Notification.tenant_id == bindparam("tenant_id"),
    Notification.read_at.is_(None),
)


def unread_count() -> int:
    """How many messages the reader has not read: the number on the bell."""
    wanted = {"person_id": me(), "tenant_id": current().tenant_id}
    return session().connection().scalar(_UNREAD, wanted) or 0


def recent(limit: int = 6) -> Sequence[Notification]:
    """The newest messages, for the bell's list."""
    return session().scalars(inbox().order_by(Notification.id.desc()).limit(limit)).all()


def _mark(ids: Iterable[UUID] | None, *, read: bool, category: str = "") -> int:
    statement = update(Notification).where(Notification.person_id == me())
    statement = statement.where(Notification.tenant_id == current().tenant_id)
    statement = statement.where(Notification.read_at.is_(None) if read else Notification.read_at.is_not(None))
    if ids is not None:
        statement = statement.where(Notification.id.in_(list(ids)))
    if category:
        statement = statement.where(Notification.category == category)
    values = {"read_at": clock.now() if read else None}
    done: CursorResult[Any] = session().execute(  # type: ignore[assignment]
        statement.values(values).execution_options(synchronize_session=False)
    )
    session().expire_all()
    return done.rowcount


def mark_read(ids: Iterable[UUID]) -> int:
    """Mark messages read; somebody else's are left alone. Returns how many changed."""
    return _mark(ids, read=True)


def mark_unread(ids: Iterable[UUID]) -> int:
    """Mark messages unread again."""
    return _mark(ids, read=False)


def mark_all_read(category: str = "") -> int:
    """Mark the whole inbox read, or one category of it."""
    return _mark(None, read=True, category=category)
