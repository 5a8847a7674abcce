"""A fact becomes one message a person, by the ways each of them wants, however often the fact is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.database import transaction
from chom_core.notifications import service
from chom_core.notifications.models import MailMessage, Notification
from chom_core.notifications.phrases import phrase
from chom_core.notifications.service import notify
from chom_core.values.errors import Invalid, NotFound
from chom_core.values.principal import Principal, Role
from chom_core.work import emit, events, run_all
from tests.notifications.conftest import Mailbox, make_person

pytestmark = pytest.mark.usefixtures("house")
SERVICE = {
    "service_id": "0198",
    "name": "blog",
    "kind": "wordpress",
    "action": "create",
    "operation_id": "0199",
}


def inbox(tenant_id: UUID, person_id: UUID) -> Sequence[Notification]:
    with transaction(tenant_id) as session:
        return session.scalars(select(Notification).where(Notification.person_id == person_id)).all()


def mails() -> Sequence[MailMessage]:
    with transaction() as session:
        return session.scalars(select(MailMessage).order_by(MailMessage.id)).all()


def test_an_event_reaches_inbox_and_mail(tenants: tuple[UUID, UUID], mailbox: Mailbox) -> None:
    mara = make_person("Mara", tenants[0])
    viewer = make_person("Vera", tenants[0], "viewer")
    stranger = make_person("Stan", tenants[1])
    with transaction(tenants[0]):
        emit("service.active", subject="service:0198", payload=SERVICE)
    run_all()
    (note,) = inbox(tenants[0], mara)
    assert (note.title, note.category, note.link) == ("blog is ready", "services", "/services/0198")
    assert inbox(tenants[0], viewer) == []
    assert inbox(tenants[1], stranger) == []
    (mail,) = mailbox.mails
    assert mail["Subject"] == "blog is ready"
    assert mail["To"] == "Mara <mara@people.example>"
    assert mail["From"] == "CHOM <no-reply@panel.example>"
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert "https://panel.example/services/0198" in plain.get_content()


def test_a_fact_told_twice_is_one_message(tenants: tuple[UUID, UUID], mailbox: Mailbox) -> None:
    mara = make_person("Mara", tenants[0])
    for _ in range(2):
        with transaction(tenants[0]):
            emit("service.active", subject="service:0198", payload=SERVICE)
    run_all()
    with transaction() as session:  # the deliveries come a second time, as after a lost worker
        session.connection().exec_driver_sql(
            "update core.job set state = 'ready', attempts = 0, finished_at = null where event_id is not null"
        )
    run_all()
    assert len(inbox(tenants[0], mara)) == 1
    assert len(mailbox.mails) == 1


def test_every_event_of_the_kernel_makes_its_message(tenants: tuple[UUID, UUID], mailbox: Mailbox) -> None:
    mara, newcomer = make_person("Mara", tenants[0]), make_person("Nils", tenants[0], "member")
    facts: dict[str, dict[str, Any]] = {
        "service.active": SERVICE,
        "service.failed": {**SERVICE, "error": "The node is full."},
        "service.suspended": SERVICE,
        "service.deleted": {**SERVICE, "action": "delete"},
        "invoice.paid": {"invoice_id": "01", "total": 7900, "currency": "USD"},
        "payment.failed": {
            "invoice_id": "01",
            "payment_id": "02",
            "message": "Declined.",
            "off_session": True,
        },
        "subscription.ended": {"subscription_id": "03"},
        "subscription.change_upcoming": {
            "subscription_id": "03",
            "change_id": "04",
            "plan": "pro",
            "at": "2026-12-25T00:00:00+00:00",
        },
        "subscription.change_failed": {
            "subscription_id": "03",
            "change_id": "05",
            "why": "The card was refused.",
        },
        "member.joined": {"person_id": str(newcomer), "role": "member"},
        "feature.switched": {"plugin": "projects", "on": True, "why": "On: Dana, 3 Nov, «pilot»"},
    }
    handled = {
        item.event_type for item in events.registered(None) if item.job_kind.startswith("notifications.")
    }
    assert handled == {*facts, "person.logged_in"}
    with transaction(tenants[0]):
        for kind, payload in facts.items():
            emit(kind, subject="x:1", payload=payload)
    run_all()
    found = {note.type: note for note in inbox(tenants[0], mara)}
    assert set(found) == set(facts)
    assert found["invoice.paid"].title == "Your payment of $79.00 arrived"
    assert found["service.failed"].body.startswith("The node is full.\n\nNothing is charged")
    assert "feature.switched" not in {mail.type for mail in mails()}
    assert len(mailbox.to("mara")) == len(facts) - 1


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("service.active", {**SERVICE, "action": "start"}),
        ("invoice.paid", {"invoice_id": "01", "total": 0, "currency": "USD"}),
        ("payment.failed", {"invoice_id": "01", "payment_id": "02", "off_session": False}),
    ],
)
def test_what_people_saw_themselves_is_no_news(
    tenants: tuple[UUID, UUID], kind: str, payload: dict[str, Any]
) -> None:
    mara = make_person("Mara", tenants[0])
    with transaction(tenants[0]):
        emit(kind, subject="x:1", payload=payload)
    run_all()
    assert inbox(tenants[0], mara) == []


def test_nothing_is_told_of_what_was_rolled_back(tenants: tuple[UUID, UUID], mailbox: Mailbox) -> None:
    mara = make_person("Mara", tenants[0])
    with transaction(tenants[0]) as work:
        notify("service.active", title="never")
        work.rollback()
    run_all()
    assert inbox(tenants[0], mara) == []
    assert mailbox.mails == []


def test_preferences_decide_and_mandatory_ones_stay(tenants: tuple[UUID, UUID], mailbox: Mailbox) -> None:
    mara = make_person("Mara", tenants[0])
    with transaction(tenants[0]):
        service.choose(mara, {("service.active", "mail"): False, ("payment.failed", "mail"): False,
                              ("service.deleted", "inbox"): False})  # fmt: skip
    with transaction(tenants[0]):
        _, rows = service.grid(mara)
        cells = {(row.type.name, cell.channel): cell for row in rows for cell in row.cells}
        assert not cells["service.active", "mail"].on
        assert cells["payment.failed", "mail"].on
        assert cells["payment.failed", "mail"].fixed
        for kind in ("service.active", "payment.failed", "service.deleted"):
            notify(kind, title=kind)
        with pytest.raises(Invalid):
            service.choose(mara, {("service.active", "pigeon"): True})
    run_all()
    assert {mail["Subject"] for mail in mailbox.mails} == {"payment.failed", "service.deleted"}
    assert {note.type for note in inbox(tenants[0], mara)} == {"service.active", "payment.failed"}


def test_the_unverified_get_no_mail_and_the_disabled_nothing(
    tenants: tuple[UUID, UUID], mailbox: Mailbox
) -> None:
    from chom_core.database import clock
    from chom_core.identity.models import Person

    fresh = make_person("Fresh", tenants[0], verified=False)
    gone = make_person("Gone", tenants[0])
    with transaction() as session:
        session.get_one(Person, gone).disabled_at = clock.now()
    with transaction(tenants[0]):
        assert notify("service.active", title="x") == 1
    run_all()
    assert len(inbox(tenants[0], fresh)) == 1
    assert mailbox.mails == []


def test_from_another_unit_it_lands_in_the_right_organisation(tenants: tuple[UUID, UUID]) -> None:
    mara, pine = make_person("Mara", tenants[0]), make_person("Pia", tenants[1])
    with transaction():
        notify("service.active", title="a", tenant_id=tenants[0], key="k")
        with pytest.raises(Invalid):
            notify("service.active", title="a")
    with transaction(tenants[1]) as session:
        notify("service.active", title="b", tenant_id=tenants[0], roles=[Role.OWNER], key="k2")
        assert session.scalars(select(Notification)).all() == []
    assert {note.title for note in inbox(tenants[0], mara)} == {"a", "b"}
    assert inbox(tenants[1], pine) == []


def test_a_sentence_is_said_in_the_readers_language(tenants: tuple[UUID, UUID]) -> None:
    from chom_core.notifications.phrases import Amount
    from chom_core.values.money import Money

    german = make_person("Greta", tenants[0], locale="de_DE")
    with transaction(tenants[0]):
        notify("invoice.paid", title=phrase("Paid %(amount)s", amount=Amount(Money(165000, "EUR"))))
    (note,) = inbox(tenants[0], german)
    assert note.title == "Paid 1.650,00\u00a0€"


def test_everybody_marks_their_own(tenants: tuple[UUID, UUID]) -> None:
    mara, nils = make_person("Mara", tenants[0]), make_person("Nils", tenants[0])
    with transaction(tenants[0]):
        for _ in range(3):
            notify("service.active", title="x")
        notify("invoice.paid", title="y")
    foreign = [note.id for note in inbox(tenants[0], nils)]
    own = [note.id for note in inbox(tenants[0], mara)]
    with transaction(tenants[0], Principal("person", mara, tenants[0], Role.OWNER)):
        assert service.unread_count() == 4
        assert service.mark_read(foreign) == 0
        assert service.mark_read(own[:1]) == 1
        assert service.mark_read(own[:1]) == 0
        assert service.unread_count() == 3
        assert service.mark_unread(own[:1]) == 1
        assert service.mark_all_read("billing") == 1
        assert service.mark_all_read() == 3
        assert service.unread_count() == 0
        assert len(service.recent(2)) == 2
    with transaction(tenants[0], Principal("person", nils, tenants[0], Role.OWNER)):
        assert service.unread_count() == 4


def test_an_unknown_type_or_a_foreign_link_is_refused(tenants: tuple[UUID, UUID]) -> None:
    with transaction(tenants[0]):
        with pytest.raises(NotFound):
            notify("nobody.declared", title="x")
        with pytest.raises(Invalid):
            notify("service.active", title="x", link="https://evil.example")
