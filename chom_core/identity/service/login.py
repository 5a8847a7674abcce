"""Logging in and out, and the sessions a person has open."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import delete, select, update

from chom_core.database import PLATFORM_ID, clock, current, session
from chom_core.identity import passwords, throttle, tokens
from chom_core.identity.models import LoginSession, Membership, Person
from chom_core.identity.options import settings
from chom_core.identity.service.signup import find_person
from chom_core.identity.service.who import Subject, me, person_subject, record, tell
from chom_core.values.errors import NotFound, Refused, Unauthenticated
from chom_core.values.principal import Principal


class Unverified(Refused):
    """The password is right, but the address has not been proved yet."""

    code = "unverified"


class LoggedIn(Struct, frozen=True):
    """A new session: `token` goes into the cookie and nowhere else."""

    token: str
    session_id: UUID
    person_id: UUID
    tenant_id: UUID | None

    def __repr__(self) -> str:
        return f"<LoggedIn {self.session_id}>"


def log_in(email: str, password: str, *, address: str = "", user_agent: str = "") -> LoggedIn:
    """Check the password and open a session. Unknown address and wrong password are one answer, after one time."""
    throttle.spend("login", account=email, address=address)
    person = find_person(email)
    fits = passwords.verify(person.password_hash if person else "", password)
    if person is None or not fits:
        raise Unauthenticated(
            _("The e-mail address or the password is not right."),
            fix=_("Check both, or choose «Forgot your password?»."),
        )
    throttle.succeeded("login", account=email, address=address)
    if person.email_verified_at is None:
        raise Unverified(
            _("Your e-mail address is not confirmed yet."),
            fix=_("Open the link we mailed you, or have it sent again."),
        )
    if passwords.outdated(person.password_hash):
        person.password_hash = passwords.hashed(password)
    return open_session(person, address=address, user_agent=user_agent)


def open_session(
    person: Person, *, address: str = "", user_agent: str = "", tenant_id: UUID | None = None
) -> LoggedIn:
    """A session for somebody who has just proved who they are, in `tenant_id` or where they worked last."""
    if person.disabled_at is not None:
        raise Refused(_("This account has been closed."), fix=_("Write to support if that surprises you."))
    now = clock.machine()
    token = tokens.new_token()
    row = LoginSession(
        token_hash=tokens.digest(token),
        person_id=person.id,
        tenant_id=tenant_id or _last_organisation(person.id),
        ip=address[:45],
        user_agent="".join(c for c in user_agent if c.isprintable())[:255],
        last_seen_at=now,
        expires_at=now + settings().session_lifetime,
    )
    session().add(row)
    session().flush()
    actor = Principal("person", person.id, name=person.name, session_id=row.id)
    after = {"ip": row.ip, "browser": row.user_agent}
    record("person.logged_in", person_subject(person), after=after, principal=actor, tenant_id=PLATFORM_ID)
    tell("person.logged_in", person_subject(person), {"person_id": str(person.id), "session_id": str(row.id)})
    return LoggedIn(token, row.id, person.id, row.tenant_id)


def _last_organisation(person_id: UUID) -> UUID | None:
    """Where the person worked last, if they still belong there; else the organisation they have been in longest."""
    last = (
        select(LoginSession.tenant_id)
        .where(LoginSession.person_id == person_id)
        .order_by(LoginSession.last_seen_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(Membership.tenant_id)
        .where(Membership.person_id == person_id)
        .order_by((Membership.tenant_id == last).desc().nulls_last(), Membership.id)
        .limit(1)
    )
    return session().scalar(query)


def switch_organisation(tenant_id: UUID) -> str:
    """Work in another organisation from now on. Returns the session's new token: the old one is void."""
    person_id, session_id = me(), current().principal.session_id
    known = select(Membership.id).where(Membership.person_id == person_id, Membership.tenant_id == tenant_id)
    if session().scalar(known) is None:
        raise NotFound(
            _("You do not belong to this organisation."), fix=_("Ask one of its owners to invite you.")
        )
    token = tokens.new_token()
    session().execute(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.person_id == person_id)
        .values(tenant_id=tenant_id, token_hash=tokens.digest(token))
        .execution_options(synchronize_session=False)
    )
    return token


def log_out() -> None:
    """End the current session."""
    who = current().principal
    if who.session_id is not None and who.person_id is not None:
        _revoke(LoginSession.id == who.session_id, person_id=who.person_id)


def sessions_of_mine() -> list[LoginSession]:
    """Where the person is logged in, the latest first."""
    now = clock.machine()
    query = (
        select(LoginSession)
        .where(
            LoginSession.person_id == me(), LoginSession.revoked_at.is_(None), LoginSession.expires_at > now
        )
        .where(LoginSession.last_seen_at > now - settings().session_idle)
        .order_by(LoginSession.last_seen_at.desc())
    )
    return list(session().scalars(query))


def revoke_session(session_id: UUID) -> None:
    """End one of the person's own sessions."""
    if not _revoke(LoginSession.id == session_id, person_id=me()):
        raise NotFound(_("This session has ended already."))
    _record_end(str(session_id), "one")


def revoke_other_sessions() -> int:
    """End all of the person's sessions but this one; returns how many."""
    mine = current().principal.session_id
    count = _revoke(LoginSession.id != mine if mine else LoginSession.id.is_not(None), person_id=me())
    _record_end("", "others")
    return count


def revoke_all(person_id: UUID, *, but: UUID | None = None) -> int:
    """End every session of a person, except `but`: after a new password, or when an account is closed."""
    return _revoke(LoginSession.id != but if but else LoginSession.id.is_not(None), person_id=person_id)


def _revoke(condition: object, *, person_id: UUID) -> int:
    statement = (
        update(LoginSession)
        .where(condition, LoginSession.person_id == person_id, LoginSession.revoked_at.is_(None))  # type: ignore[arg-type]
        .values(revoked_at=clock.machine())
        .execution_options(synchronize_session=False)
    )
    return session().connection().execute(statement).rowcount


def _record_end(session_id: str, which: str) -> None:
    record("session.revoked", Subject("login_session", session_id, which), tenant_id=PLATFORM_ID)


def purge() -> int:
    """Delete sessions that ended a quarter of a year ago. Returns their number."""
    old = LoginSession.expires_at < clock.machine() - timedelta(days=90)
    return session().connection().execute(delete(LoginSession).where(old)).rowcount
