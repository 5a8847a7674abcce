"""Signing up and proving the address. Nobody learns from it whether an address has an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from chom_core.database import PLATFORM_ID, clock, session
from chom_core.identity import addresses, passwords, throttle
from chom_core.identity.mail import MailRequest, mails
from chom_core.identity.models import Person
from chom_core.identity.options import link, settings
from chom_core.identity.service import links, organisations
from chom_core.identity.service.who import person_row, person_subject, record, tell
from chom_core.values.errors import Invalid
from chom_core.values.ids import uuid7
from chom_core.values.principal import Principal


class Verified(Struct, frozen=True):
    """Who has proved the address, and the organisation made for them (None where they had one to join)."""

    person_id: UUID
    email: str
    tenant_id: UUID | None


def find_person(email: str) -> Person | None:
    """The person with this address, however its letters are cased."""
    return session().scalar(select(Person).where(func.lower(Person.email) == addresses.fold(email)))


def checked(email: str, name: str, password: str, organisation: str | None) -> tuple[str, str, str]:
    """The three names ready to store; Invalid with every fault at once."""
    email, email_fault = addresses.email_address(email)
    name, name_fault = addresses.display_name(name)
    faults = {"email": email_fault, "name": name_fault}
    if organisation is not None:
        organisation, faults["organisation"] = addresses.display_name(organisation)
    faults["password"] = passwords.fault(password, email=email, name=name)
    wrong = {field: [fault] for field, fault in faults.items() if fault}
    if wrong:
        raise Invalid(fields=wrong)
    return email, name, organisation or ""


def sign_up(
    email: str,
    name: str,
    password: str,
    organisation: str,
    *,
    locale: str = "en_US",
    zone: str = "UTC",
    address: str = "",
    brought: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Begin an account: a mail goes out, and nothing else is said. Returns the address as it was understood.

    A known, verified address gets a mail that says so. An unverified one starts afresh with the new password: whoever
    signed up with somebody else's address before gains nothing. The organisation is made once the address is proved.
    `brought`: see `arrivals.brought`; told when the organisation is made.
    """
    email, name, organisation = checked(email, name, password, organisation)
    throttle.spend("signup", account=email, address=address)
    digest = passwords.hashed(password)  # before the look-up, so that both answers take as long
    fresh = {"name": name, "password_hash": digest, "locale": locale, "zone": _zone(zone)}
    session().execute(
        insert(Person)
        .values(id=uuid7(), created_at=clock.now(), email=email, theme="", **fresh)
        .on_conflict_do_nothing()
    )
    found = find_person(email)
    assert found is not None
    person = person_row(found.id)
    if person.email_verified_at is not None:
        _tell_existing(person)
    else:
        for key, value in fresh.items():
            setattr(person, key, value)
        _send_verify(
            person, {"organisation": organisation, "zone": fresh["zone"], "brought": dict(brought or {})}
        )
    return email


def resend_verification(email: str, *, address: str = "") -> None:
    """Send the mail again, as `sign_up` would; silent where nobody has signed up with this address."""
    throttle.spend("resend", account=email, address=address)
    found = find_person(email)
    if found is None:
        return
    person = person_row(found.id)
    if person.email_verified_at is not None:
        _tell_existing(person)
        return
    _send_verify(person, _last_payload(person.id))


def verify_email(token: str, *, address: str = "") -> Verified:
    """Use the mailed link: the address is proved, and the organisation named at sign-up is made."""
    throttle.spend("token", address=address)
    row = links.use("verify", token)
    throttle.succeeded("token", address=address)
    assert row.person_id is not None
    person = person_row(row.person_id)
    return Verified(person.id, person.email, prove(person, row.payload))


def prove(person: Person, payload: dict[str, Any] | None = None) -> UUID | None:
    """The address is the person's: a mailed link came back. The first time makes the organisation named at sign-up."""
    links.void("verify", person.id)
    if person.email_verified_at is not None:
        return None
    wanted = _last_payload(person.id) if payload is None else payload
    person.email_verified_at = clock.machine()
    actor = announce(person)
    name = wanted.get("organisation", "")
    if not name:
        return None
    zone = wanted.get("zone", "UTC")
    return organisations.create_organisation(
        name, zone=zone, owner=person.id, principal=actor, brought=wanted.get("brought")
    ).id


def announce(person: Person) -> Principal:
    """Log and tell that somebody is new; returns them as an actor."""
    actor = Principal("person", person.id, name=person.name)
    record("person.signed_up", person_subject(person), principal=actor, tenant_id=PLATFORM_ID)
    tell("person.signed_up", person_subject(person), {"person_id": str(person.id), "locale": person.locale})
    return actor


def create_person(
    email: str, name: str, password: str, *, locale: str = "en_US", zone: str = "UTC"
) -> Person:
    """A person whose address counts as proved: for setup, demo and newcomers who come by an invitation's link."""
    email, name, _rest = checked(email, name, password, None)
    person = Person(
        email=email,
        name=name,
        password_hash=passwords.hashed(password),
        email_verified_at=clock.machine(),
        locale=locale,
        zone=_zone(zone),
    )
    if find_person(email) is not None:
        raise Invalid(fields={"email": [_("This address has an account already; log in with it.")]})
    session().add(person)
    session().flush()
    announce(person)
    return person


def _zone(name: str) -> str:
    return "UTC" if addresses.zone_fault(name) else name


def _last_payload(person_id: UUID) -> dict[str, Any]:
    from chom_core.identity.models import EmailToken

    query = (
        select(EmailToken.payload)
        .where(EmailToken.person_id == person_id, EmailToken.purpose == "verify")
        .order_by(EmailToken.id.desc())
        .limit(1)
    )
    return dict(session().scalar(query) or {})


def _send_verify(person: Person, payload: dict[str, Any]) -> None:
    links.void("verify", person.id)
    row, token = links.make(
        "verify", person.email, settings().verify_lifetime, person_id=person.id, payload=payload
    )
    path = f"/verify/{token}"
    context = {"name": person.name, "link": link(path), "path": path, "expires_at": row.expires_at}
    mails(MailRequest("verify", person.email, person.locale, context))


def _tell_existing(person: Person) -> None:
    context = {"name": person.name, "link": link("/login"), "path": "/login", "reset_link": link("/forgot")}
    mails(MailRequest("account_exists", person.email, person.locale, context))
