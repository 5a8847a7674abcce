"""Who acts, and the small things every verb does: audit, emit, bump."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select, update

from chom_core.audit import Subject, record
from chom_core.database import Tenant, current, locked, session
from chom_core.identity.models import Membership, Person
from chom_core.identity.roles import covers, may_manage
from chom_core.values.errors import NotFound, Refused, Unauthenticated
from chom_core.values.principal import Role, StaffRole
from chom_core.work.events import emit


def me() -> UUID:
    """The person who acts; Unauthenticated where it is nobody, or a key."""
    person_id = current().principal.person_id
    if person_id is None:
        raise Unauthenticated(_("This needs a person who is logged in."), fix=_("Log in and try again."))
    return person_id


def here() -> UUID:
    """The organisation the unit works in."""
    tenant_id = current().tenant_id
    if tenant_id is None:
        raise NotFound(
            _("No organisation is chosen."), fix=_("Make an organisation first, or switch to one.")
        )
    return tenant_id


def person_row(person_id: UUID) -> Person:
    """The person's row, locked for the verb that changes it."""
    return locked(Person, person_id, NotFound(_("This person does not exist any more.")))


def lock_organisation(tenant_id: UUID) -> Tenant:
    """The organisation's row, locked: its people change one verb at a time, so the last owner cannot slip out
    between two. Inserts that only refer to the organisation do not wait."""
    query = (
        select(Tenant)
        .where(Tenant.id == tenant_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    found = session().scalar(query)
    if found is None:
        raise NotFound(_("This organisation does not exist any more."))
    return found


def acting_role(tenant_id: UUID) -> Role | None:
    """What the actor may do in the organisation, as the database says now (a role may have changed since the request
    began). CHOM itself, and staff who administer another's organisation, act as owners."""
    who = current().principal
    if who.kind == "system":
        return Role.OWNER
    if who.kind == "key":
        return who.role if who.tenant_id == tenant_id else None
    if who.person_id is None:
        return None
    query = select(Membership.role).where(
        Membership.tenant_id == tenant_id, Membership.person_id == who.person_id
    )
    role = session().scalar(query)
    if role is not None:
        return Role(role)
    return Role.OWNER if who.staff_role is StaffRole.ADMIN else None


def must_manage(tenant_id: UUID) -> Role:
    """The acting role, which must be one that manages people and keys."""
    role = acting_role(tenant_id)
    if role is None or not may_manage(role):
        raise Refused(
            _("Only owners and admins manage people and keys."), fix=_("Ask an owner or admin to do it.")
        )
    return role


def must_cover(by: Role, role: Role) -> None:
    """Refuse unless `by` may give, take or change `role`: nobody acts above themselves."""
    if not covers(by, role):
        raise Refused(
            _(
                "Your role (%(mine)s) is below %(role)s, so you cannot give, change or remove it.",
                mine=by,
                role=role,
            ),
            fix=_("Ask an owner to do it."),
        )


def role_named(text: str) -> Role:
    """The role of that name, as posted by a form."""
    from chom_core.values.errors import Invalid

    try:
        return Role(text)
    except ValueError:
        raise Invalid(fields={"role": [_("Choose one of the roles of the list.")]}) from None


def bump(tenant_id: UUID) -> None:
    """Tell every process that what it caches of the organisation is old."""
    session().execute(
        update(Tenant)
        .where(Tenant.id == tenant_id)
        .values(generation=Tenant.generation + 1)
        .execution_options(synchronize_session=False)
    )


def person_subject(person: Person) -> Subject:
    return Subject("person", person.id, f"{person.name} <{person.email}>")


def tell(type: str, subject: Subject, payload: dict[str, Any], tenant_id: UUID | None = None) -> None:
    """Emit the event `type` about `subject`."""
    emit(type, subject=f"{subject.type}:{subject.id}", payload=payload, tenant_id=tenant_id)


__all__ = [
    "Subject",
    "acting_role",
    "bump",
    "here",
    "lock_organisation",
    "me",
    "must_cover",
    "must_manage",
    "person_row",
    "person_subject",
    "record",
    "role_named",
    "tell",
]
