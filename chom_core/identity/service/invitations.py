"""Inviting people by e-mail: sent, sent again, accepted, declined, cancelled."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import func, select

from chom_core.audit import Subject
from chom_core.database import Tenant, clock, current, session
from chom_core.identity import addresses, throttle
from chom_core.identity.mail import MailRequest, mails
from chom_core.identity.models import Invitation, Membership, Person
from chom_core.identity.options import link, settings
from chom_core.identity.service import links
from chom_core.identity.service.members import add_member
from chom_core.identity.service.signup import create_person, find_person
from chom_core.identity.service.who import (
    here,
    lock_organisation,
    me,
    must_cover,
    must_manage,
    record,
    role_named,
    tell,
)
from chom_core.values.errors import Conflict, Invalid, NotFound, Refused
from chom_core.values.principal import Principal, Role


class Offer(Struct, frozen=True):
    """An invitation as the person invited sees it. `known`: their address has an account, so they log in to accept."""

    id: UUID
    tenant_id: UUID
    organisation: str
    email: str
    role: Role
    inviter: str
    known: bool


def open_invitations() -> list[Invitation]:
    """The current organisation's invitations that wait for an answer, also those that have expired."""
    query = select(Invitation).where(Invitation.tenant_id == here(), Invitation.state == "open")
    return list(session().scalars(query.order_by(Invitation.id.desc())))


def invite(email: str, role: Role | str) -> Invitation:
    """Offer `role` in the current organisation to an address, by mail. An earlier open offer is replaced."""
    tenant_id, wanted = here(), role_named(role)
    email, fault = addresses.email_address(email)
    if fault:
        raise Invalid(fields={"email": [fault]})
    organisation = lock_organisation(tenant_id)
    must_cover(must_manage(tenant_id), wanted)
    throttle.spend("invite", account=str(tenant_id))
    member = (
        select(Membership.id)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.tenant_id == tenant_id, func.lower(Person.email) == addresses.fold(email))
    )
    if session().scalar(member) is not None:
        raise Invalid(
            fields={"email": [_("This person is a member already; change their role in the list.")]}
        )
    for old in _open(tenant_id, email):
        _end(old, "cancelled")
    row, token = links.make("invite", email, settings().invite_lifetime)
    made = Invitation(
        tenant_id=tenant_id, email=email, role=wanted.value, token_id=row.id, expires_at=row.expires_at
    )
    made.invited_by = current().principal.person_id
    session().add(made)
    session().flush()
    _mail(made, organisation, token)
    subject = Subject("invitation", made.id, email)
    record("member.invited", subject, after={"role": wanted})
    tell(
        "member.invited",
        subject,
        {"organisation_id": str(tenant_id), "role": wanted.value},
        tenant_id=tenant_id,
    )
    return made


def resend_invitation(invitation_id: UUID) -> None:
    """Mail the offer again with a new link; the old link ends."""
    found = _mine(invitation_id)
    organisation = lock_organisation(found.tenant_id)
    must_cover(must_manage(found.tenant_id), Role(found.role))
    throttle.spend("resend", account=found.email)
    _void_link(found)
    row, token = links.make("invite", found.email, settings().invite_lifetime)
    found.token_id, found.expires_at = row.id, row.expires_at
    session().flush()
    _mail(found, organisation, token)
    record("invitation.resent", Subject("invitation", found.id, found.email))


def cancel_invitation(invitation_id: UUID) -> None:
    """Take an open offer back; its link ends."""
    found = _mine(invitation_id)
    must_cover(must_manage(found.tenant_id), Role(found.role))
    _end(found, "cancelled")
    record("invitation.cancelled", Subject("invitation", found.id, found.email))


def invitation_of(token: str, *, address: str = "") -> Offer:
    """What the mailed link offers; NotFound where it is spent."""
    throttle.spend("token", address=address)
    row, organisation = _by_token(token)
    throttle.succeeded("token", address=address)
    inviter = session().get(Person, row.invited_by) if row.invited_by else None
    return Offer(
        row.id,
        row.tenant_id,
        organisation.name,
        row.email,
        Role(row.role),
        inviter.name if inviter else organisation.name,
        find_person(row.email) is not None,
    )


def accept_invitation(token: str) -> UUID:
    """Join, as the person logged in, whose address must be the one invited. Returns the organisation's id."""
    row, _organisation = _by_token(token)
    person = session().get_one(Person, me())
    if addresses.fold(person.email) != addresses.fold(row.email):
        raise Refused(
            _(
                "This invitation is for %(invited)s, and you are logged in as %(mine)s.",
                invited=row.email,
                mine=person.email,
            ),
            fix=_(
                "Log out, open the link again and log in with that address; or ask for an invitation to yours."
            ),
        )
    return _join(row, token, person)


def accept_as_newcomer(
    token: str, name: str, password: str, *, locale: str = "en_US", zone: str = "UTC"
) -> Person:
    """Make an account for the invited address, which the link has proved, and join."""
    row, _organisation = _by_token(token)
    known = find_person(row.email)
    if known is not None and known.email_verified_at is not None:
        raise Conflict(
            _("This address has an account already."), fix=_("Log in with it, then open the link again.")
        )
    if known is not None:  # signed up, never proved: what that sign-up said counts for nothing
        session().delete(known)
        session().flush()
    person = create_person(row.email, name, password, locale=locale, zone=zone)
    _join(row, token, person)
    return person


def decline_invitation(token: str) -> None:
    """Say no. Nobody needs an account for that."""
    row, organisation = _by_token(token)
    links.use("invite", token)
    _end(row, "declined")
    subject = Subject("invitation", row.id, row.email)
    record("invitation.declined", subject, tenant_id=row.tenant_id)
    payload = {"organisation_id": str(row.tenant_id), "name": organisation.name}
    tell("invitation.declined", subject, payload, tenant_id=row.tenant_id)


def _join(row: Invitation, token: str, person: Person) -> UUID:
    links.use("invite", token)
    actor = Principal("person", person.id, name=person.name, session_id=current().principal.session_id)
    add_member(person.id, Role(row.role), row.tenant_id, principal=actor)
    row.state, row.ended_at = "accepted", clock.machine()
    session().flush()
    return row.tenant_id


def _by_token(token: str) -> tuple[Invitation, Tenant]:
    row = links.find("invite", token)
    found = session().scalar(
        select(Invitation).where(Invitation.token_id == row.id, Invitation.state == "open")
    )
    if found is None:
        raise links.stale()
    return found, session().get_one(Tenant, found.tenant_id)


def _open(tenant_id: UUID, email: str) -> list[Invitation]:
    query = select(Invitation).where(
        Invitation.tenant_id == tenant_id,
        Invitation.state == "open",
        func.lower(Invitation.email) == addresses.fold(email),
    )
    return list(session().scalars(query))


def _mine(invitation_id: UUID) -> Invitation:
    query = select(Invitation).where(
        Invitation.id == invitation_id, Invitation.tenant_id == here(), Invitation.state == "open"
    )
    found = session().scalar(query.with_for_update())
    if found is None:
        raise NotFound(_("This invitation is not open any more."), fix=_("Reload the list of people."))
    return found


def _end(row: Invitation, state: str) -> None:
    _void_link(row)
    row.state, row.ended_at = state, clock.machine()
    session().flush()


def _void_link(row: Invitation) -> None:
    from chom_core.identity.models import EmailToken

    old = session().get_one(EmailToken, row.token_id)
    old.used_at = old.used_at or clock.machine()
    session().flush()


def _mail(row: Invitation, organisation: Tenant, token: str) -> None:
    person = find_person(row.email)
    path = f"/invitations/{token}"
    context = {
        "name": person.name if person else "",
        "organisation": organisation.name,
        "inviter": current().principal.name or organisation.name,
        "role": row.role,
        "link": link(path),
        "path": path,
        "expires_at": row.expires_at,
    }
    locale = person.locale if person else organisation.locale
    mails(MailRequest("invite", row.email, locale, context, organisation.id))
