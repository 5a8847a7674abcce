"""Mailed links: making them, and using them up exactly once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import delete, select, update

from chom_core.database import clock, session
from chom_core.identity import tokens
from chom_core.identity.models import EmailToken
from chom_core.values.errors import NotFound


def void(purpose: str, person_id: UUID) -> None:
    """Make every open link of this purpose unusable."""
    session().execute(
        update(EmailToken)
        .where(EmailToken.person_id == person_id, EmailToken.purpose == purpose, EmailToken.used_at.is_(None))
        .values(used_at=clock.machine())
        .execution_options(synchronize_session=False)
    )


def make(
    purpose: str,
    email: str,
    lifetime: timedelta,
    *,
    person_id: UUID | None = None,
    payload: dict[str, Any] | None = None,
) -> tuple[EmailToken, str]:
    """A new link's row and its token, which only the mail will hold."""
    token = tokens.new_token()
    row = EmailToken(
        purpose=purpose,
        token_hash=tokens.digest(token),
        email=email,
        person_id=person_id,
        payload=payload or {},
        expires_at=clock.machine() + lifetime,
    )
    session().add(row)
    session().flush()
    return row, token


def find(purpose: str, token: str) -> EmailToken:
    """The open link of this token; NotFound where it is unknown, used or expired: all three look the same."""
    row = session().scalar(
        select(EmailToken).where(EmailToken.token_hash == tokens.digest(token), EmailToken.purpose == purpose)
    )
    if row is None or row.used_at is not None or row.expires_at <= clock.machine():
        raise stale()
    return row


def use(purpose: str, token: str) -> EmailToken:
    """Use the link up. Of two that come at once, one gets it: the update's row lock decides."""
    now = clock.machine()
    row = session().scalar(
        update(EmailToken)
        .where(
            EmailToken.token_hash == tokens.digest(token),
            EmailToken.purpose == purpose,
            EmailToken.used_at.is_(None),
            EmailToken.expires_at > now,
        )
        .values(used_at=now)
        .returning(EmailToken)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise stale()
    return row


def stale() -> NotFound:
    return NotFound(
        _("This link has been used, has expired, or was copied incompletely."), fix=_("Ask for a new one.")
    )


def purge() -> int:
    """Delete links that expired a month ago and belong to no invitation. Returns their number."""
    from chom_core.identity.models import Invitation

    old = EmailToken.expires_at < clock.machine() - timedelta(days=30)
    kept = select(Invitation.token_id)
    return session().connection().execute(delete(EmailToken).where(old, EmailToken.id.not_in(kept))).rowcount
