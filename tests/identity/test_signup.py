"""Signing up: two answers that cannot be told apart, links that work once, addresses that are proved."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from chom_core import identity
from chom_core.audit import AuditEntry
from chom_core.database import PLATFORM_ID, Tenant, clock, transaction
from chom_core.identity import passwords, service
from chom_core.identity.addresses import email_address
from chom_core.identity.models import EmailToken, LoginAttempt, Membership, Person
from chom_core.identity.throttle import Throttled
from chom_core.values import Invalid, NotFound, Unauthenticated
from chom_core.work import Event
from tests.identity.conftest import CHEAP, PASSWORD, Mailbox, person, person_row


def sign_up(
    email: str = "mara@example.com", password: str = PASSWORD, organisation: str = "Northlight"
) -> None:
    with transaction():
        service.sign_up(email, "Mara", password, organisation, zone="Europe/Berlin")


def verify(token: str) -> service.Verified:
    with transaction():
        return service.verify_email(token)


def test_a_proved_address_gets_its_organisation(mailbox: Mailbox) -> None:
    sign_up()
    with transaction() as work:
        assert (
            work.scalar(select(func.count()).select_from(Tenant)) == 1
        )  # the platform alone: nothing made yet
    assert mailbox.last("verify").context["link"].startswith("https://chom.example/verify/")
    done = verify(mailbox.token("verify"))
    with transaction() as work:
        tenant = work.get_one(Tenant, done.tenant_id)
        assert (tenant.name, tenant.slug, tenant.zone) == ("Northlight", "northlight", "Europe/Berlin")
        member = work.scalars(select(Membership)).one()
        assert (member.person_id, member.role) == (done.person_id, "owner")
        assert set(work.scalars(select(Event.type))) == {"person.signed_up", "organisation.created"}
    with transaction(PLATFORM_ID) as work:
        assert "person.signed_up" in work.scalars(select(AuditEntry.action)).all()
    with transaction(done.tenant_id) as work:
        assert work.scalars(select(AuditEntry.action)).all() == ["organisation.created"]


def test_a_known_address_gets_another_mail_and_the_same_answer(mailbox: Mailbox) -> None:
    person("mara@example.com")
    before = person_row("mara@example.com").password_hash
    sign_up("MARA@example.com", "something else entirely")
    assert [m.kind for m in mailbox.sent] == ["account_exists"]
    assert person_row("mara@example.com").password_hash == before
    with transaction() as work:
        assert work.scalar(select(func.count()).select_from(Person)) == 1


def test_who_signs_up_with_anothers_address_first_gains_nothing(mailbox: Mailbox) -> None:
    sign_up(password="attackers own words")
    stolen = mailbox.token("verify")
    sign_up(password=PASSWORD)
    with pytest.raises(NotFound):
        verify(stolen)
    verify(mailbox.token("verify"))
    with transaction(), pytest.raises(Unauthenticated):
        service.log_in("mara@example.com", "attackers own words")
    with transaction():
        service.log_in("mara@example.com", PASSWORD)


def test_a_link_works_once_and_not_for_ever(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    sign_up()
    token = mailbox.token("verify")
    late = clock.machine() + timedelta(days=4)
    with monkeypatch.context() as patched:
        patched.setattr(clock, "machine", lambda: late)
        with pytest.raises(NotFound, match="expired"):
            verify(token)
    verify(token)
    with pytest.raises(NotFound) as refused:
        verify(token)
    assert refused.value.fix
    for wrong in ("", "x", token + "x", "0" * 10_000, "\x00"):
        with pytest.raises(NotFound):
            verify(wrong)


def test_the_database_does_not_hold_the_token(mailbox: Mailbox) -> None:
    sign_up()
    with transaction() as work:
        row = work.scalars(select(EmailToken)).one()
    assert mailbox.token("verify").encode() not in bytes(row.token_hash)
    assert "path" not in repr(mailbox.last("verify"))


def test_resending_makes_the_old_link_void_and_keeps_the_organisation(mailbox: Mailbox) -> None:
    sign_up()
    old = mailbox.token("verify")
    with transaction():
        service.resend_verification("mara@example.com")
        service.resend_verification("nobody@example.com")
    assert len(mailbox.sent) == 2
    with pytest.raises(NotFound):
        verify(old)
    assert verify(mailbox.token("verify")).tenant_id is not None


def test_a_name_that_is_taken_gets_another_slug(mailbox: Mailbox) -> None:
    owner = person("mara@example.com")
    with transaction():
        slugs = [
            service.create_organisation(name, owner=owner).slug for name in ("Acme", "acme!", "日本", "日本")
        ]
    assert slugs[0] == "acme"
    assert len(set(slugs)) == 4
    assert all(s.isascii() for s in slugs)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "mara",
        "mara@",
        "@example.com",
        "a b@example.com",
        "a@b",
        "a@example..com",
        "a@example.com\nBcc: x@y.zz",
        "a@" + "x" * 260 + ".com",
        '"a"@example.com',
        "a@exa\u202emple.com",
        "a@example.com,b@example.com",
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    assert email_address(email)[1]


def test_addresses_are_made_comparable() -> None:
    assert email_address(" Mara@EXAMPLE.com ") == ("Mara@example.com", "")
    assert email_address("mara@bücher.de") == ("mara@xn--bcher-kva.de", "")


def test_every_fault_is_told_at_once(mailbox: Mailbox) -> None:
    with transaction(), pytest.raises(Invalid) as refused:
        service.sign_up("x", " ", "short", "a\nb")
    assert set(refused.value.fields) == {"email", "name", "password", "organisation"}


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "1234567890",
        "password12",
        "Password123!",
        "qwertyuiop",
        "aaaaaaaaaaaa",
        "mara@example.com",
        "MARA@example.com1",
        "iloveyou!!!",
        "9876543210",
        "x" * 201,
        "letmein2026",
    ],
)
def test_weak_passwords(password: str) -> None:
    assert passwords.fault(password, email="mara@example.com")


@pytest.mark.parametrize(
    "password", [PASSWORD, "xkqzvjwmpf", "correct horse", "пароль-не-угадать", "🐈🐈🐈🐈 nine lives"]
)
def test_good_passwords(password: str) -> None:
    identity.configure(CHEAP)
    assert passwords.fault(password, email="mara@example.com") == ""
    stored = passwords.hashed(password)
    assert passwords.verify(stored, password)
    assert not passwords.verify(stored, password + "x")
    assert not passwords.verify("", password)


def test_two_sign_ups_at_once_make_one_person(mailbox: Mailbox) -> None:
    errors: list[BaseException] = []

    def attempt() -> None:
        try:
            sign_up()
        except Throttled:
            pass
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not errors
    with transaction() as work:
        assert work.scalar(select(func.count()).select_from(Person)) == 1
        live = select(func.count()).select_from(EmailToken).where(EmailToken.used_at.is_(None))
        assert work.scalar(live) == 1
        assert work.scalar(select(LoginAttempt.count)) == 3
