"""Who belongs to an organisation, and as what. Nobody acts above themselves; an organisation keeps an owner."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import func, select, update

from chom_core.audit import Subject
from chom_core.database import clock, session
from chom_core.identity.models import ApiKey, LoginSession, Membership, Person
from chom_core.identity.service.who import (
    here,
    lock_organisation,
    me,
    must_cover,
    must_manage,
    person_subject,
    record,
    role_named,
    tell,
)
from chom_core.values.errors import Conflict, NotFound
from chom_core.values.principal import Principal, Role


class Member(Struct, frozen=True):
    """A member as lists show them. `keys`: how many working API keys they have made here."""

    person_id: UUID
    name: str
    email: str
    role: Role
    since: datetime
    keys: int = 0


def members() -> list[Member]:
    """Everyone in the current organisation, owners first, then by name."""
    tenant_id = here()
    keys = (
        select(func.count())
        .where(ApiKey.tenant_id == tenant_id, ApiKey.created_by == Person.id, ApiKey.revoked_at.is_(None))
        .scalar_subquery()
    )
    query = (
        select(
            Person.id, Person.name, Person.email, Membership.role, Membership.created_at, keys.label("keys")
        )
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.tenant_id == tenant_id)
        .order_by(Person.name, Person.id)
    )
    found = [
        Member(row.id, row.name, row.email, Role(row.role), row.created_at, row.keys)
        for row in session().execute(query)
    ]
    return sorted(found, key=lambda member: list(Role).index(member.role))


def add_member(
    person_id: UUID, role: Role, tenant_id: UUID | None = None, *, principal: Principal | None = None
) -> None:
    """Make a person a member: by an accepted invitation, by setup, or by staff. Their role must not exist yet."""
    tenant_id = tenant_id or here()
    organisation = lock_organisation(tenant_id)
    if _membership(tenant_id, person_id) is not None:
        raise Conflict(_("This person is a member already."), fix=_("Change their role instead."))
    session().add(Membership(person_id=person_id, tenant_id=tenant_id, role=role.value))
    session().flush()
    person = session().get_one(Person, person_id)
    record(
        "member.joined",
        person_subject(person),
        after={"role": role},
        tenant_id=tenant_id,
        principal=principal,
    )
    payload = {"organisation_id": str(tenant_id), "person_id": str(person_id), "role": role.value}
    tell("member.joined", Subject("organisation", tenant_id, organisation.name), payload, tenant_id=tenant_id)


def change_role(person_id: UUID, role: Role | str) -> None:
    """Give a member another role in the current organisation."""
    tenant_id, new = here(), role_named(role)
    lock_organisation(tenant_id)
    mine = must_manage(tenant_id)
    row = _must_exist(tenant_id, person_id)
    old = Role(row.role)
    must_cover(mine, old)
    must_cover(mine, new)
    if old is new:
        return
    if old is Role.OWNER:
        _keep_an_owner(tenant_id)
    row.role = new.value
    session().flush()
    person = session().get_one(Person, person_id)
    record("member.role_changed", person_subject(person), before={"role": old}, after={"role": new})
    payload = {
        "organisation_id": str(tenant_id),
        "person_id": str(person_id),
        "role": new.value,
        "was": old.value,
    }
    tell("member.role_changed", Subject("organisation", tenant_id), payload, tenant_id=tenant_id)


def remove_member(person_id: UUID, *, revoke_keys: bool = True) -> None:
    """Take somebody out of the current organisation, and by default the API keys they made: they know the secrets."""
    tenant_id = here()
    lock_organisation(tenant_id)
    mine = must_manage(tenant_id)
    row = _must_exist(tenant_id, person_id)
    must_cover(mine, Role(row.role))
    _take_out(row, "member.removed", revoke_keys=revoke_keys)


def leave() -> None:
    """Leave the current organisation. Its last owner cannot."""
    tenant_id, person_id = here(), me()
    lock_organisation(tenant_id)
    _take_out(_must_exist(tenant_id, person_id), "member.left", revoke_keys=True)


def _take_out(row: Membership, action: str, *, revoke_keys: bool) -> None:
    tenant_id, person_id, role = row.tenant_id, row.person_id, Role(row.role)
    if role is Role.OWNER:
        _keep_an_owner(tenant_id)
    session().delete(row)
    session().flush()
    if revoke_keys:
        session().execute(
            update(ApiKey)
            .where(ApiKey.tenant_id == tenant_id, ApiKey.created_by == person_id, ApiKey.revoked_at.is_(None))
            .values(revoked_at=clock.machine())
            .execution_options(synchronize_session=False)
        )
    elsewhere = (
        select(Membership.tenant_id)
        .where(Membership.person_id == person_id)
        .order_by(Membership.id)
        .limit(1)
        .scalar_subquery()
    )
    session().execute(
        update(LoginSession)
        .where(LoginSession.person_id == person_id, LoginSession.tenant_id == tenant_id)
        .values(tenant_id=elsewhere)
        .execution_options(synchronize_session=False)
    )
    person = session().get_one(Person, person_id)
    after = {"keys_revoked": revoke_keys}
    record(action, person_subject(person), before={"role": role}, after=after)
    payload = {"organisation_id": str(tenant_id), "person_id": str(person_id), "role": role.value}
    tell(action, Subject("organisation", tenant_id), payload, tenant_id=tenant_id)


def _membership(tenant_id: UUID, person_id: UUID) -> Membership | None:
    query = select(Membership).where(Membership.tenant_id == tenant_id, Membership.person_id == person_id)
    return session().scalar(query.execution_options(populate_existing=True))


def _must_exist(tenant_id: UUID, person_id: UUID) -> Membership:
    row = _membership(tenant_id, person_id)
    if row is None:
        raise NotFound(
            _("This person is no member of the organisation."), fix=_("Reload the list of people.")
        )
    return row


def _keep_an_owner(tenant_id: UUID) -> None:
    """Refuse to touch the last owner. The organisation is locked, so the count holds until the commit."""
    owners = select(func.count()).where(
        Membership.tenant_id == tenant_id, Membership.role == Role.OWNER.value
    )
    if session().scalar(owners) == 1:
        raise Conflict(
            _("An organisation needs an owner, and this is its last."),
            fix=_("Make somebody else an owner first."),
        )
