"""What a bank is told: a draft, then one answer, however often and at once it is clicked, and whatever gets lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from chom_core.audit.models import AuditEntry
from chom_core.billing import reads
from chom_core.billing.models import Dispute, DisputeAnswer
from chom_core.billing.service.paying import answers
from chom_core.database import clock, transaction
from chom_core.values import ChomError, Conflict, Invalid, NotFound, Unavailable
from chom_core.work import JobRow, run_all
from tests.billing import till
from tests.billing.bank import FIELDS, Bank, answer, decide, disputed, draft, hear, opened
from tests.billing.shop import books_are_right, events
from tests.conftest import Database, make_tenant


@pytest.fixture
def bank() -> Iterator[Bank]:
    with opened() as made:
        yield made


@pytest.fixture
def tenant(street: Database) -> UUID:
    return make_tenant("Disputed")


def given_answer(tenant: UUID, dispute_id: UUID) -> DisputeAnswer:
    found = answer(tenant, dispute_id)
    assert found is not None
    return found


def state(tenant: UUID, dispute_id: UUID) -> str:
    with transaction(tenant):
        return reads.dispute(dispute_id).info.state


def test_a_draft_is_sent_once_and_stays_as_it_was(tenant: UUID, bank: Bank) -> None:
    of = disputed(tenant)
    assert state(tenant, of) == "needs_answer"
    version = draft(tenant, of, customer_name=" Mara ", notes="used\r\ndaily", )  # fmt: skip
    decide(tenant, of, version)
    assert (state(tenant, of), bank.told) == ("sending", {})  # a job calls, and no click
    run_all(tenant)
    assert bank.told == {"dp_1": ("evidence", {"customer_name": "Mara", "notes": "used\ndaily"})}
    assert state(tenant, of) == "with_bank"
    with transaction(tenant), pytest.raises(Conflict, match="with the bank already"):
        answers.save(of, {"notes": "more"}, version, FIELDS)
    with transaction(tenant), pytest.raises(Conflict, match="with the bank already"):
        answers.decide(of, "accept", version)
    with transaction(tenant) as here:
        said = here.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("dispute.")))
        assert list(said) == ["dispute.answered"]
    assert events(tenant)[-1] == "dispute.answered"


@pytest.mark.parametrize("kind", ["evidence", "accept"])
def test_twenty_clicks_and_twenty_jobs_at_once_are_one_answer(tenant: UUID, bank: Bank, kind: str) -> None:
    of = disputed(tenant)
    version = draft(tenant, of)
    with ThreadPoolExecutor(20) as pool:
        made = set(pool.map(lambda _: decide(tenant, of, version, kind), range(20)))
        assert len(made) == 1
        row = made.pop()
        list(pool.map(lambda _: send(tenant, row), range(20)))
    run_all(tenant)
    assert (bank.told["dp_1"][0], len(bank.keys)) == (kind, 1)
    with transaction(tenant) as here:
        jobs = select(JobRow).where(JobRow.kind == answers.SEND, JobRow.tenant_id == tenant)
        assert len(here.scalars(jobs).all()) == 1
    found = given_answer(tenant, of)
    assert (found.status, found.turn) == ("sent", 1)


def send(tenant: UUID, answer_id: UUID) -> None:
    with transaction(tenant):
        answers.send(answer_id)


def test_evidence_and_giving_up_at_once_is_one_of_them(tenant: UUID, bank: Bank) -> None:
    of = disputed(tenant)
    version = draft(tenant, of)

    def click(place: int) -> str:
        try:
            decide(tenant, of, version, "accept" if place % 2 else "evidence")
        except Conflict:
            return "conflict"
        return "done"

    with ThreadPoolExecutor(20) as pool:
        assert Counter(pool.map(click, range(20))) == {"done": 10, "conflict": 10}
    run_all(tenant)
    assert len(bank.told) == 1


def test_a_lost_answer_is_asked_for_again_under_its_key(tenant: UUID, bank: Bank) -> None:
    of = disputed(tenant)
    row = decide(tenant, of, draft(tenant, of))
    for how in ("silent", "lost", "lost"):
        bank.next = how
        with pytest.raises(Unavailable):
            send(tenant, row)
        assert state(tenant, of) == "sending"
    bank.next = "takes"
    send(tenant, row)
    assert (state(tenant, of), len(bank.told)) == ("with_bank", 1)


def test_a_definite_no_is_a_persons_again(tenant: UUID, bank: Bank) -> None:
    of, bank.next = disputed(tenant), "no"
    version = draft(tenant, of)
    send(tenant, decide(tenant, of, version))
    found = given_answer(tenant, of)
    assert (found.status, found.message) == ("refused", "The bank takes nothing. Ask it.")
    assert state(tenant, of) == "needs_answer"
    first, bank.next = found.key, "takes"
    version = draft(tenant, of, version, notes="better")
    send(tenant, decide(tenant, of, version))
    assert bank.told["dp_1"] == ("evidence", {"notes": "better"})
    assert bank.keys["dp_1"] != first, "other facts are asked under another key"


def test_what_is_confirmed_is_what_was_read(tenant: UUID, bank: Bank) -> None:
    of = disputed(tenant)
    version = draft(tenant, of)
    draft(tenant, of, version, notes="by somebody else")
    for verb in (
        lambda: answers.decide(of, "evidence", version),
        lambda: answers.save(of, {"notes": "mine"}, version, FIELDS),
    ):
        with transaction(tenant), pytest.raises(Conflict, match="meanwhile"):
            verb()


def test_what_is_no_evidence_is_refused_in_words(tenant: UUID, bank: Bank) -> None:
    of = disputed(tenant)
    with transaction(tenant), pytest.raises(Invalid) as wrong:
        answers.save(of, {"notes": "x" * 21, "receipt": "file_1"}, 0, FIELDS)
    assert set(wrong.value.fields) == {"notes", "receipt"}
    assert draft(tenant, of, notes="a\x00b", customer_name="  ") == 1
    found = given_answer(tenant, of)
    assert found.evidence == {"notes": "ab"}
    empty = disputed(tenant, "dp_2")
    with transaction(tenant), pytest.raises(Invalid, match="no evidence yet"):
        answers.decide(empty, "evidence", 0)
    with transaction(make_tenant("Other")), pytest.raises(NotFound):
        answers.save(of, {"notes": "x"}, 0, FIELDS)


def test_a_bank_that_has_decided_or_was_answered_elsewhere_takes_nothing(tenant: UUID, bank: Bank) -> None:
    paid = till.topped_up(tenant, 5000)
    of = disputed(tenant, paid=paid)
    hear(tenant, paid, "dp_1", "open", answered=True)
    hear(tenant, paid, "dp_1", "open")  # an older look comes late
    assert state(tenant, of) == "with_bank"
    with transaction(tenant), pytest.raises(Conflict, match="no answer any more"):
        answers.decide(of, "accept", 0)
    hear(tenant, paid, "dp_1", "won")
    assert state(tenant, of) == "won"
    with transaction(tenant), pytest.raises(Conflict, match="no answer any more"):
        answers.save(of, {"notes": "late"}, 0, FIELDS)


def test_reason_and_deadline_are_heard_and_kept(tenant: UUID, bank: Bank) -> None:
    paid, due = till.topped_up(tenant, 5000), clock.now() + timedelta(days=9)
    of = disputed(tenant, paid=paid)
    hear(tenant, paid, "dp_1", "open", reason="fraudulent", evidence_due=due)
    hear(tenant, paid, "dp_1", "open")
    with transaction(tenant) as here:
        row = here.get_one(Dispute, of)
        assert (row.reason, row.evidence_due) == ("fraudulent", due)


def test_nobody_answers_for_a_gateway_that_is_off(tenant: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    of = disputed(tenant)
    with opened():
        row = decide(tenant, of, draft(tenant, of))
    monkeypatch.setattr(answers.hooks, "billing_disputes", lambda query: ())
    with pytest.raises(Unavailable, match="Nobody answers"):
        send(tenant, row)
    assert state(tenant, of) == "sending"


ACTS = st.lists(
    st.sampled_from(["save", "stale", "send", "accept", "job", "lost", "silent", "no", "answered", "won", "lose"]),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS)
def test_whatever_is_done_the_bank_hears_one_answer(street: Database, acts: list[str]) -> None:
    """And it is what was saved last before somebody decided, under one key."""
    tenant = make_tenant("Weather")
    paid = till.topped_up(tenant, 5000)
    of = disputed(tenant, paid=paid)
    saved: dict[str, str] = {}
    expected: tuple[str, dict[str, str]] | None = None
    with opened() as bank:
        for place, act in enumerate(acts):
            row = answer(tenant, of)
            version = row.version if row else 0
            before = dict(bank.told)
            if act in ("save", "stale"):
                read, texts = version - (act == "stale"), {"notes": f"text {place}"}
                saved = texts if _works(draft, tenant, of, read, **texts) else saved
            elif act in ("send", "accept"):
                kind = "evidence" if act == "send" else "accept"
                ours = row is None or row.status in answers.OURS
                if _works(decide, tenant, of, version, kind) and ours:
                    expected = (kind, saved if act == "send" else {})
            elif act in ("job", "lost", "silent", "no") and row is not None:
                bank.next = {"job": "takes"}.get(act, act)
                _works(send, tenant, row.id)
            elif act in ("answered", "won", "lose"):
                end = {"answered": "open", "lose": "lost"}.get(act, act)
                hear(tenant, paid, "dp_1", end, answered=act == "answered")
            assert not before or bank.told == before, "a second answer"
        assert not bank.told or bank.told == {"dp_1": expected}
        last = answer(tenant, of)
        assert bank.told or last is None or last.status != "sent"
    books_are_right()


def _works(verb: Callable[..., object], *args: Any, **texts: str) -> bool:
    try:
        verb(*args, **texts)
    except ChomError:
        return False
    return True
