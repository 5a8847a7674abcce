"""A person's password and profile: changed, forgotten, reset."""

from __future__ import annotations

from flask_babel import gettext as _

from chom_core.database import PLATFORM_ID, current, session
from chom_core.identity import addresses, passwords, throttle
from chom_core.identity.mail import MailRequest, mails
from chom_core.identity.models import Person
from chom_core.identity.options import link, settings
from chom_core.identity.service import links, login
from chom_core.identity.service.signup import find_person, prove
from chom_core.identity.service.who import me, person_row, person_subject, record, tell
from chom_core.values.errors import Invalid
from chom_core.values.principal import Principal

THEMES = ("", "light", "dark")


def change_password(current_password: str, new_password: str, *, address: str = "") -> int:
    """Change one's own password. Every other session ends; returns how many did."""
    person = person_row(me())
    throttle.spend("login", account=person.email, address=address)
    if not passwords.verify(person.password_hash, current_password):
        raise Invalid(fields={"current_password": [_("This is not your current password.")]})
    throttle.succeeded("login", account=person.email, address=address)
    _set(person, new_password, field="new_password")
    record("person.password_changed", person_subject(person), tenant_id=PLATFORM_ID)
    return login.revoke_all(person.id, but=current().principal.session_id)


def forgot_password(email: str, *, address: str = "") -> None:
    """Mail a link to set a new password, if somebody has this address; the caller is told the same either way."""
    throttle.spend("forgot", account=email, address=address)
    person = find_person(email)
    usable = person is not None and person.disabled_at is None
    if person is not None:
        links.void("reset", person.id)
    shown = person.email if person else addresses.fold(email)[:254]
    # written for a stranger too (and found by nobody), so that both answers take as long
    row, token = links.make(
        "reset", shown, settings().reset_lifetime, person_id=person.id if person and usable else None
    )
    if person is None or not usable:
        return
    path = f"/reset/{token}"
    context = {"name": person.name, "link": link(path), "path": path, "expires_at": row.expires_at}
    mails(MailRequest("reset", person.email, person.locale, context))


def reset_link_is_open(token: str) -> bool:
    """Whether the page should show its form; raises NotFound with the next step where the link is spent."""
    return links.find("reset", token) is not None


def reset_password(token: str, new_password: str, *, address: str = "") -> Person:
    """Set a new password by a mailed link. It proves the address, ends every session and lifts a log-in wait."""
    throttle.spend("token", address=address)
    found = links.find("reset", token)
    fault = passwords.fault(new_password, email=found.email)
    if fault:  # before the link is used up: a second try needs no second mail
        raise Invalid(fields={"password": [fault]})
    row = links.use("reset", token)
    if row.person_id is None:
        raise links.stale()
    person = person_row(row.person_id)
    _set(person, new_password, field="password")
    prove(person)
    throttle.succeeded("token", address=address)
    throttle.succeeded("login", account=person.email)
    actor = Principal("person", person.id, name=person.name)
    record("person.password_reset", person_subject(person), principal=actor, tenant_id=PLATFORM_ID)
    login.revoke_all(person.id)
    return person


def _set(person: Person, password: str, *, field: str) -> None:
    fault = passwords.fault(password, email=person.email, name=person.name)
    if fault:
        raise Invalid(fields={field: [fault]})
    person.password_hash = passwords.hashed(password)
    links.void("reset", person.id)
    session().flush()
    context = {"name": person.name, "link": link("/forgot"), "path": "/forgot"}
    mails(MailRequest("password_changed", person.email, person.locale, context))


def update_profile(
    *, name: str | None = None, locale: str | None = None, zone: str | None = None, theme: str | None = None
) -> Person:
    """Change one's own name, language, time zone or theme ("": as the system)."""
    person = person_row(me())
    before = {"name": person.name, "locale": person.locale, "zone": person.zone, "theme": person.theme}
    after, faults = dict(before), {}
    if name is not None:
        after["name"], faults["name"] = addresses.display_name(name)
    if zone is not None:
        after["zone"], faults["zone"] = zone, addresses.zone_fault(zone)
    if theme is not None:
        after["theme"], faults["theme"] = theme, "" if theme in THEMES else _("Choose one of the list.")
    if locale is not None:
        after["locale"], faults["locale"] = (
            locale,
            "" if _is_locale(locale) else _("Choose a language of the list."),
        )
    wrong = {field: [fault] for field, fault in faults.items() if fault}
    if wrong:
        raise Invalid(fields=wrong)
    if after != before:
        for key, value in after.items():
            setattr(person, key, value)
        session().flush()
        subject = person_subject(person)
        record("person.changed", subject, before=before, after=after, tenant_id=PLATFORM_ID)
        tell("person.changed", subject, {"person_id": str(person.id)})
    return person


def _is_locale(text: str) -> bool:
    from babel import Locale, UnknownLocaleError

    try:
        return len(text) <= 12 and bool(Locale.parse(text))
    except (UnknownLocaleError, ValueError):
        return False
