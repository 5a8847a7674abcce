"""The audit log: in the caller's transaction, fenced, append-only, without secrets; `everyone` is in it."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import ProgrammingError

from chom_core import audit
from chom_core.audit import AuditEntry, Subject
from chom_core.audit.service import _seen
from chom_core.database import PLATFORM_ID, clock, everyone, session, transaction
from chom_core.values import Principal, Role, StaffRole, uuid7

Pair = tuple[UUID, UUID]
SITE = Subject("service", uuid7(), "blog")


def actions(tenant_id: UUID) -> list[str]:
    with transaction(tenant_id) as work:
        return list(work.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_the_entry_commits_with_the_caller_and_only_with_it(tenants: Pair) -> None:
    with transaction(tenants[0]):
        audit.record("service.renamed", SITE, before={"name": "a"}, after={"name": "b"}, reason="asked")
    with pytest.raises(ZeroDivisionError), transaction(tenants[0]):  # noqa: PT012
        audit.record("service.deleted", SITE)
        raise ZeroDivisionError
    assert actions(tenants[0]) == ["service.renamed"]


def test_only_the_organisation_of_the_entry_reads_it(tenants: Pair) -> None:
    with transaction(tenants[0]):
        audit.record("service.renamed", SITE)
    assert actions(tenants[1]) == []
    with transaction(tenants[1]) as work:  # without the session's filter the row policy still holds
        assert work.connection().execute(select(AuditEntry.__table__)).all() == []


def test_an_entry_for_another_log_leaves_the_fence_where_it_was(tenants: Pair) -> None:
    staff = Principal(
        "person", person_id=uuid7(), tenant_id=PLATFORM_ID, staff_role=StaffRole.ADMIN, name="Dana"
    )
    with transaction(tenants[0], staff):
        audit.record("plugin.switched", Subject("plugin", "", "projects"), tenant_id=tenants[1])
        audit.record("service.renamed", SITE)
        assert session().scalars(select(AuditEntry.action)).all() == ["service.renamed"]
    with transaction(tenants[1]) as work:
        entry = work.scalars(select(AuditEntry)).one()
    assert (entry.actor_kind, entry.actor_name) == ("staff", "Dana")


def test_without_an_organisation_the_entry_is_the_platforms(tenants: Pair) -> None:
    with transaction():
        audit.record("person.signed_up", Subject("person", uuid7(), "Mara"))
        assert session().scalars(select(AuditEntry)).all() == []
    assert actions(PLATFORM_ID) == ["person.signed_up"]


def test_who_acted(tenants: Pair) -> None:
    person, key = uuid7(), uuid7()
    with transaction(tenants[0], Principal("person", person, tenants[0], Role.ADMIN, name="Mara")) as work:
        audit.record("service.renamed", SITE)
        entry = work.scalars(select(AuditEntry)).one()
        assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("person", person, "Mara")
    with transaction(
        tenants[1], Principal("key", None, tenants[1], Role.ADMIN, name="CI", session_id=key)
    ) as work:
        audit.record("service.renamed", SITE)
        assert work.scalars(select(AuditEntry.actor_id)).one() == key


def test_secrets_never_reach_the_log(tenants: Pair) -> None:
    after = {
        "name": "x",
        "new_password": "hunter2!!",
        "apikey": "k",
        "inner": {"Token": "t", "n": 1},
        "raw": b"\x00",
    }
    with transaction(tenants[0]) as work:
        audit.record("key.made", SITE, after=after)
        stored = work.scalars(select(AuditEntry.after)).one()
    hidden = "•••"
    assert stored == {
        "name": "x",
        "new_password": hidden,
        "apikey": hidden,
        "inner": {"Token": hidden, "n": 1},
        "raw": hidden,
    }


def test_hostile_text_is_kept_and_cut(tenants: Pair) -> None:
    with transaction(tenants[0]) as work:
        audit.record("x.y", Subject("service", "i" * 500, "a\x00" + "b" * 500), reason="c\x00")
        entry = work.scalars(select(AuditEntry)).one()
    assert (len(entry.subject_id), len(entry.subject_label), entry.reason) == (80, 254, "c")


@pytest.mark.parametrize("statement", [update(AuditEntry).values(action="x"), delete(AuditEntry)])
def test_nobody_rewrites_the_log(tenants: Pair, statement: object) -> None:
    with transaction(tenants[0]):
        audit.record("service.renamed", SITE)
    for enter in (lambda: transaction(tenants[0]), lambda: everyone("cleaning")):
        with pytest.raises(ProgrammingError, match="permission denied"), enter() as work:
            work.execute(statement)  # type: ignore[call-overload]


def test_entering_everyone_is_recorded_even_if_the_look_fails(tenants: Pair) -> None:
    dana = Principal("person", uuid7(), PLATFORM_ID, Role.OWNER, StaffRole.ADMIN, name="Dana")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), everyone("looking for Mara", dana):
            raise ZeroDivisionError
    with transaction(PLATFORM_ID) as work:
        entries = work.scalars(select(AuditEntry)).all()
    assert [(e.action, e.actor_name, e.reason) for e in entries] == [
        ("everyone.entered", "Dana", "looking for Mara")
    ] * 2


def test_choms_own_sweeps_are_recorded_once_an_hour(tenants: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    _seen.clear()
    start = clock.machine()
    for minutes in (0, 1, 59, 61):
        monkeypatch.setattr(clock, "machine", lambda minutes=minutes: start + timedelta(minutes=minutes))
        with everyone("sweep"):
            pass
    assert actions(PLATFORM_ID) == ["everyone.entered"] * 2


def test_search(tenants: Pair) -> None:
    mara = uuid7()
    with transaction(tenants[0], Principal("person", mara, tenants[0], Role.ADMIN, name="Mara")):
        audit.record("member.invited", Subject("invitation", "1", "kim@example.com"))
        audit.record("membership.x", SITE)
    with transaction(tenants[0]) as work:
        audit.record("service.renamed", SITE, reason="100% sure")

        def found(**query: object) -> list[str]:
            return [entry.action for entry in work.scalars(audit.search(**query).order_by(AuditEntry.id))]  # type: ignore[arg-type]

        assert found(action="member") == ["member.invited"]
        assert found(actor=mara) == ["member.invited", "membership.x"]
        assert found(subject=("service", SITE.id)) == ["membership.x", "service.renamed"]
        assert found(text="KIM@") == ["member.invited"]
        assert found(text="0%") == ["service.renamed"]
        assert found(since=clock.machine()) == []
        assert len(found(until=clock.machine())) == 3
