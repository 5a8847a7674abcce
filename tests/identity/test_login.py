"""Logging in: one answer for every wrong pair, waits that grow and last, sessions that end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from chom_core import identity
from chom_core.audit import AuditEntry
from chom_core.database import PLATFORM_ID, clock, transaction
from chom_core.identity import passwords, service, throttle
from chom_core.identity.models import EmailToken, LoginAttempt, LoginSession, Person
from chom_core.identity.throttle import Throttled
from chom_core.values import Invalid, NotFound, Principal, Unauthenticated, uuid7
from tests.identity.conftest import CHEAP, PASSWORD, Mailbox, person, person_row

Move = Callable[[float], None]


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Move:
    """Move the machine's clock by seconds from where it stands."""
    start, gone = clock.machine(), [0.0]

    def now() -> datetime:
        return start + timedelta(seconds=gone[0])

    monkeypatch.setattr(clock, "machine", now)

    def by(seconds: float) -> None:
        gone[0] += seconds

    return by


def log_in(
    email: str = "mara@example.com", password: str = PASSWORD, address: str = "192.0.2.7"
) -> service.LoggedIn:
    with transaction():
        return service.log_in(email, password, address=address, user_agent="Firefox\n")


def refusal(email: str, password: str = "not the password") -> tuple[type, str, str]:
    with pytest.raises((Unauthenticated, Throttled)) as refused:
        log_in(email, password)
    return type(refused.value), refused.value.detail, refused.value.fix


def as_person(person_id: UUID, session_id: UUID | None = None) -> Principal:
    return Principal("person", person_id, name="Mara", session_id=session_id)


def test_a_session_is_opened_and_logged(mailbox: Mailbox) -> None:
    mara = person("mara@example.com")
    made = log_in("MARA@example.com ")
    assert made.token not in repr(made)
    with transaction() as work:
        row = work.get_one(LoginSession, made.session_id)
    assert (row.person_id, row.ip, row.user_agent) == (mara, "192.0.2.7", "Firefox")
    assert made.token.encode() not in bytes(row.token_hash)
    with transaction(PLATFORM_ID) as work:
        entry = work.scalars(select(AuditEntry).where(AuditEntry.action == "person.logged_in")).one()
        assert (entry.actor_id, entry.actor_kind) == (mara, "person")


def test_known_and_unknown_addresses_cannot_be_told_apart(mailbox: Mailbox, move: Move) -> None:
    person("mara@example.com")
    for _ in range(7):  # through the throttle's free attempts and into its waits
        assert refusal("mara@example.com") == refusal("nobody@example.com")


def test_an_unknown_address_costs_a_hash_as_well(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    person("mara@example.com")
    checked: list[str] = []
    real = passwords.verify
    monkeypatch.setattr(
        passwords, "verify", lambda stored, given: checked.append(stored) or real(stored, given)
    )
    refusal("mara@example.com")
    refusal("nobody@example.com")
    assert len(checked) == 2
    verified: list[str] = []

    class Watched:
        def __init__(self) -> None:
            self.inner = passwords.hasher()

        def verify(self, stored: str, given: str) -> bool:
            verified.append(stored)
            return self.inner.verify(stored, given)

        def hash(self, text: str) -> str:
            return self.inner.hash(text)

    watched = Watched()
    monkeypatch.setattr(passwords, "hasher", lambda: watched)
    assert not real("", "nobody has this password")
    assert verified[0].startswith("$argon2id$"), "without an account no hash was checked: the time tells"


def test_waits_grow_and_end_and_survive(mailbox: Mailbox, move: Move) -> None:
    person("mara@example.com")
    for _ in range(5):
        assert refusal("mara@example.com")[0] is Unauthenticated
    waits = []
    for _ in range(7):
        with pytest.raises(Throttled) as blocked:
            log_in()  # even the right password waits
        assert "Try again in" in blocked.value.fix
        waits.append(blocked.value.retry_after)
        move(blocked.value.retry_after - 1)
        with pytest.raises(Throttled):
            log_in()
        move(2)
        assert refusal("mara@example.com")[0] is Unauthenticated
    assert waits == [30, 60, 120, 240, 480, 900, 900]
    move(901)
    log_in()
    assert refusal("mara@example.com")[0] is Unauthenticated  # and the count starts anew


def test_a_refused_attempt_does_not_lengthen_the_wait(mailbox: Mailbox, move: Move) -> None:
    for _ in range(5):
        refusal("nobody@example.com")
    for _ in range(20):
        with pytest.raises(Throttled) as blocked:
            log_in("nobody@example.com")
    assert blocked.value.retry_after == 30


def test_one_address_trying_many_accounts_waits_too(mailbox: Mailbox, move: Move) -> None:
    person("mara@example.com")
    kinds = [refusal(f"victim{n}@example.com")[0] for n in range(31)]
    assert kinds == [Unauthenticated] * 30 + [Throttled]
    log_in(address="192.0.2.8")  # from elsewhere the door is open


def test_logging_into_ones_own_account_does_not_reset_the_address(mailbox: Mailbox, move: Move) -> None:
    person("mara@example.com")
    for n in range(29):
        refusal(f"victim{n}@example.com")
        log_in()
    assert refusal("victim@example.com")[0] is Unauthenticated
    assert refusal("victim2@example.com")[0] is Throttled


def test_attempts_at_once_all_count(mailbox: Mailbox) -> None:
    import threading

    outcomes: list[str] = []

    def guess() -> None:
        try:
            throttle.spend("login", account="mara@example.com")
            outcomes.append("let")
        except Throttled:
            outcomes.append("wait")

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(outcomes) == ["let"] * 5 + ["wait"] * 3


def test_the_throttle_keeps_no_addresses_of_mail(mailbox: Mailbox) -> None:
    refusal("nobody@example.com")
    with transaction() as work:
        keys = list(work.scalars(select(LoginAttempt.key)))
    assert not any("nobody" in key for key in keys)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("?", "?"),
    ],
)
def test_a_v6_customer_is_one_network(address: str, expected: str) -> None:
    assert throttle.network(address) == expected


def test_who_has_not_proved_the_address_is_told_only_with_the_password(mailbox: Mailbox) -> None:
    with transaction():
        service.sign_up("mara@example.com", "Mara", PASSWORD, "Northlight")
    assert refusal("mara@example.com")[0] is Unauthenticated
    with pytest.raises(service.Unverified):
        log_in()


def test_hashes_move_to_todays_cost(mailbox: Mailbox) -> None:
    person("mara@example.com")
    before = person_row("mara@example.com").password_hash
    identity.configure(identity.Settings("https://chom.example", argon2_memory_kib=16, argon2_passes=1))
    log_in()
    after = person_row("mara@example.com").password_hash
    assert before != after
    assert "m=16," in after
    identity.configure(CHEAP)


def test_forgot_says_nothing_and_reset_works_once(mailbox: Mailbox) -> None:
    person("mara@example.com")
    session_id = log_in().session_id
    with transaction():
        service.forgot_password("nobody@example.com")
        service.forgot_password("mara@example.com")
    assert [m.kind for m in mailbox.sent] == ["reset"]
    token = mailbox.token("reset")
    with transaction(), pytest.raises(Invalid):
        service.reset_password(token, "password123")
    with transaction():
        service.reset_password(token, "quite another lake")
    with transaction(), pytest.raises(NotFound):
        service.reset_password(token, "quite another lake")
    with transaction() as work:
        assert work.get_one(LoginSession, session_id).revoked_at is not None
    assert refusal("mara@example.com", PASSWORD)[0] is Unauthenticated
    log_in(password="quite another lake")
    assert mailbox.sent[-1].kind == "password_changed"


def test_a_new_reset_link_voids_the_old_and_strangers_get_none_that_works(mailbox: Mailbox) -> None:
    person("mara@example.com")
    for _ in range(2):
        with transaction():
            service.forgot_password("mara@example.com")
    tokens = [str(m.context["path"]).rsplit("/", 1)[1] for m in mailbox.sent]
    with transaction(), pytest.raises(NotFound):
        service.reset_password(tokens[0], "quite another lake")
    with transaction() as work:
        assert (
            work.scalar(select(func.count()).select_from(EmailToken).where(EmailToken.used_at.is_(None))) == 1
        )


def test_guessing_links_is_throttled(mailbox: Mailbox) -> None:
    seen = set()
    for _ in range(25):
        with transaction(), pytest.raises((NotFound, Throttled)) as refused:
            service.reset_password("x" * 43, "quite another lake", address="192.0.2.7")
        seen.add(type(refused.value))
    assert seen == {NotFound, Throttled}


def test_changing_the_password_ends_the_other_sessions(mailbox: Mailbox) -> None:
    mara = person("mara@example.com")
    here, there = log_in(), log_in()
    with transaction(principal=as_person(mara, here.session_id)):
        with pytest.raises(Invalid) as refused:
            service.change_password("wrong", "quite another lake")
        assert "current_password" in refused.value.fields
        assert service.change_password(PASSWORD, "quite another lake") == 1
    with transaction(principal=as_person(mara, here.session_id)):
        assert [s.id for s in service.sessions_of_mine()] == [here.session_id]
    with transaction() as work:
        assert work.get_one(LoginSession, there.session_id).revoked_at is not None


def test_sessions_are_ones_own(mailbox: Mailbox) -> None:
    mara, eve = person("mara@example.com"), person("eve@example.com")
    mine = log_in()
    with transaction(principal=as_person(eve)), pytest.raises(NotFound):
        service.revoke_session(mine.session_id)
    with transaction(principal=as_person(eve)):
        assert service.sessions_of_mine() == []
        assert service.revoke_other_sessions() == 0
    with transaction(principal=as_person(mara)):
        service.revoke_session(mine.session_id)
    with transaction(principal=as_person(mara)), pytest.raises(NotFound):
        service.revoke_session(mine.session_id)


def test_keys_and_strangers_have_no_profile(mailbox: Mailbox) -> None:
    for who in (Principal("anonymous"), Principal("key", tenant_id=uuid7())):
        with transaction(principal=who), pytest.raises(Unauthenticated):
            service.update_profile(name="x")


def test_the_profile(mailbox: Mailbox) -> None:
    mara = person("mara@example.com")
    with transaction(principal=as_person(mara)):
        service.update_profile(name="Mara Lind", zone="Europe/Berlin", theme="dark", locale="de_DE")
        with pytest.raises(Invalid) as refused:
            service.update_profile(name="", zone="Mars/Olympus", theme="pink", locale="xx_yy_zz")
        assert set(refused.value.fields) == {"name", "zone", "theme", "locale"}
    with transaction() as work:
        row = work.get_one(Person, mara)
        assert (row.name, row.zone, row.theme, row.locale) == ("Mara Lind", "Europe/Berlin", "dark", "de_DE")
