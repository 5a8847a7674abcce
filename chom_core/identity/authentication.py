"""Who asks: the session of a browser, or the key of a program. One query answers with person and organisation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Request, g
from flask import session as cookie
from flask_babel import gettext as _
from sqlalchemy import Result, Row, Select, and_, bindparam, exists, select, update
from sqlalchemy.orm import aliased

from chom_core.database import PLATFORM_ID, Tenant, after_commit, clock, session, transaction
from chom_core.identity import tokens
from chom_core.identity.models import ApiKey, LoginSession, Membership, Person
from chom_core.identity.options import settings
from chom_core.identity.views import MyOrganisations, OrganisationView, PersonView
from chom_core.values.errors import Unauthenticated
from chom_core.values.ids import parse_uuid
from chom_core.values.principal import ANONYMOUS, Principal, Role, StaffRole

#: Where the token lies in Flask's signed cookie.
TOKEN = "token"  # noqa: S105
_SEEN_EVERY = timedelta(minutes=1)
_LONGEST_TOKEN = 200

_staff = aliased(Membership)
_TENANT = (
    Tenant.id,
    Tenant.name,
    Tenant.slug,
    Tenant.kind,
    Tenant.status,
    Tenant.zone,
    Tenant.locale,
    Tenant.generation,
    Tenant.parent_id,
)
_other = aliased(Membership)
#: Whether the switcher has anything to offer: most people are in one organisation, and their pages ask no more.
_several = exists().where(
    _other.person_id == LoginSession.person_id, _other.tenant_id.is_distinct_from(Membership.tenant_id)
)
# Built once: SQLAlchemy then finds the compiled statement by identity.
_SESSION: Select[*tuple[Any, ...]] = (
    select(
        LoginSession.id.label("session_id"),
        LoginSession.last_seen_at,
        LoginSession.expires_at,
        Person.id.label("person_id"),
        Person.name.label("person_name"),
        Person.email,
        Person.locale.label("person_locale"),
        Person.zone.label("person_zone"),
        Person.theme,
        Membership.role,
        _staff.role.label("staff"),
        _several.label("several"),
        *_TENANT,
    )
    .join(Person, Person.id == LoginSession.person_id)
    .outerjoin(
        Membership,
        and_(Membership.person_id == LoginSession.person_id, Membership.tenant_id == LoginSession.tenant_id),
    )
    .outerjoin(Tenant, Tenant.id == Membership.tenant_id)
    .outerjoin(_staff, and_(_staff.person_id == LoginSession.person_id, _staff.tenant_id == PLATFORM_ID))
    .where(
        LoginSession.token_hash == bindparam("digest"),
        LoginSession.revoked_at.is_(None),
        Person.disabled_at.is_(None),
    )
)
_KEY: Select[*tuple[Any, ...]] = (
    select(
        ApiKey.id.label("key_id"),
        ApiKey.name.label("key_name"),
        ApiKey.role,
        ApiKey.scopes,
        ApiKey.last_used_at,
        ApiKey.expires_at,
        *_TENANT,
    )
    .join(Tenant, Tenant.id == ApiKey.tenant_id)
    .where(ApiKey.secret_hash == bindparam("digest"), ApiKey.revoked_at.is_(None))
)


def authenticate(request: Request) -> Principal:
    """The principal of a request, and `g.person`, `g.organisation`, `g.organisations`, `g.locale`, `g.zone` with it.

    Below /api only keys count: a browser's cookie there would let any site post for its owner. A key that is sent and
    wrong is an error, never «anonymous».
    """
    header = request.headers.get("Authorization", "")
    if header:
        return _by_key(header)
    if request.path.startswith("/api/"):
        return ANONYMOUS
    token = cookie.get(TOKEN)
    if not isinstance(token, str) or len(token) > _LONGEST_TOKEN:
        return ANONYMOUS
    return _by_session(token)


def locate(request: Request, principal: Principal) -> UUID | None:
    """The organisation of a route that names it in its path. It must be the principal's own: another's is as good as
    none, so the route's access check refuses. Routes of a host are located by the floors that know hosts."""
    given = parse_uuid(str((request.view_args or {}).get("tenant_id", "")))
    return given if given is not None and given == principal.tenant_id else None


def _by_session(token: str) -> Principal:
    row = _columns(_SESSION, {"digest": tokens.digest(token)}).one_or_none()
    now = clock.machine()
    if row is None or row.expires_at <= now or row.last_seen_at <= now - settings().session_idle:
        cookie.pop(TOKEN, None)
        return ANONYMOUS
    if row.last_seen_at <= now - _SEEN_EVERY:
        session_id = row.session_id
        after_commit(lambda: _seen(LoginSession, session_id, "last_seen_at"))
    g.person = PersonView(
        row.person_id, row.person_name, row.email, row.person_locale, row.person_zone, row.theme
    )
    g.organisations = MyOrganisations(row.person_id, several=row.several)
    g.locale, g.zone = row.person_locale, row.person_zone
    role = _organisation(row)
    return Principal(
        "person",
        row.person_id,
        row.id if role else None,
        role,
        staff_role(row.staff),
        name=row.person_name,
        session_id=row.session_id,
    )


def _columns(statement: Select[*tuple[Any, ...]], values: dict[str, object]) -> Result[Any]:
    """Past the session, which would look for objects to load where there are only columns (a fifth of the query)."""
    return session().connection().execute(statement, values)


def _by_key(header: str) -> Principal:
    scheme, _space, secret = header.partition(" ")
    secret = secret.strip()
    wrong = Unauthenticated(
        _("This API key is not valid: it is unknown, revoked or expired."),
        fix=_("Send `Authorization: Bearer chom_…` with a key from Organisation → API keys."),
    )
    if scheme.lower() != "bearer" or not secret.startswith(tokens.KEY_PREFIX) or len(secret) > _LONGEST_TOKEN:
        raise wrong
    row = _columns(_KEY, {"digest": tokens.digest(secret)}).one_or_none()
    now = clock.machine()
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        raise wrong
    if row.last_used_at is None or row.last_used_at <= now - _SEEN_EVERY:
        key_id = row.key_id
        after_commit(lambda: _seen(ApiKey, key_id, "last_used_at"))
    g.zone = row.zone
    role = _organisation(row)
    return Principal(
        "key", None, row.id, role, scopes=frozenset(row.scopes), name=row.key_name, session_id=row.key_id
    )


def _organisation(row: Row[Any]) -> Role | None:
    if row.id is None:
        return None
    role = Role(row.role)
    g.organisation = OrganisationView(
        row.id,
        row.name,
        row.slug,
        row.kind,
        row.status,
        row.zone,
        row.locale,
        row.generation,
        row.parent_id,
        role,
    )
    return role


def staff_role(role: str | None) -> StaffRole | None:
    """What a role in the root organisation means at the operator's desk: owners and admins administer."""
    if role is None:
        return None
    return StaffRole.ADMIN if role in (Role.OWNER, Role.ADMIN) else StaffRole.SUPPORT


def _seen(model: type[LoginSession | ApiKey], row_id: UUID, column: str) -> None:
    """Note the use, at most once a minute, after the request's own commit and in a short transaction: a long request
    then holds no lock that the person's next one would wait for."""
    with transaction() as work:
        work.execute(update(model).where(model.id == row_id).values({column: clock.machine()}))
