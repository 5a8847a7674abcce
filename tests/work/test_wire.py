"""BEGIN and COMMIT in one message with a statement: the same outcome as one by one, also where things go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from chom_core.database import clock, current, engine, one_connection, session, transaction, unit, wire
from chom_core.work import Job, job, lease, run_all, runner, stand
from chom_core.work.runner import attempt
from tests.harness.crash_place import make_tenant
from tests.work.helpers import ledger, notes, put, row, sql

#: Enough for psycopg to have prepared what returns.
OFTEN = 8


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The messages that hold more than one statement."""
    seen: list[bytes] = []
    send = wire._send

    def note(connection: object, driver: object, text: bytes) -> object:
        seen.append(text)
        return send(connection, driver, text)  # type: ignore[arg-type]

    monkeypatch.setattr(wire, "_send", note)
    return seen


@pytest.fixture
def shared() -> Iterator[None]:
    """All on one connection: what psycopg prepared on it stays."""
    with one_connection():
        yield


def warm(tenant: UUID) -> None:
    job("t.warm")(lambda given: None)
    for _ in range(OFTEN):
        put("t.warm", unit_tenant=tenant)
    run_all()


def claimed(effect: Callable[[Job], None], tenant: UUID) -> Job:
    job("t.given", attempts=3)(effect)
    made = put("t.given", unit_tenant=tenant)
    (given,) = lease.claim(lease.CLAIM_ONE, id=made)
    return given


def test_a_job_takes_two_messages_and_its_own(shared: None, sent: list[bytes], tenant: UUID) -> None:
    """Should psycopg hide what it has prepared, all still works, but slowly: this says so."""
    warm(tenant)
    sent.clear()
    given = claimed(lambda given: ledger("done"), tenant)
    del sent[:-1]  # what putting it took
    sent.clear()
    assert attempt(given) == "done"
    assert [text.split(b" ")[0] for text in sent] == [b"begin;execute", b"execute"]
    assert sent[1].endswith(b";commit")
    assert notes() == ["done"] and row(given.id)["state"] == "done"


@pytest.mark.parametrize("often", [False, True], ids=["one by one", "in one message"])
class TestBothWays:
    @pytest.fixture(autouse=True)
    def way(self, shared: None, tenant: UUID, often: bool) -> None:
        if often:
            warm(tenant)

    def test_a_lost_lease_leaves_nothing(self, tenant: UUID) -> None:
        def stolen(given: Job) -> None:
            ledger("mine")
            sql("update core.job set token = token + 1 where id = %s", given.id)

        given = claimed(stolen, tenant)
        assert attempt(given) == "fenced"
        assert notes() == [] and row(given.id)["state"] == "running"

    def test_what_fails_at_the_commit_fails_the_job(self, tenant: UUID) -> None:
        sql(
            "drop table if exists core.late; create table core.late (id int unique deferrable initially deferred)"
        )
        sql("grant all on core.late to chom_app")

        def twice(given: Job) -> None:
            ledger("mine")
            session().connection().exec_driver_sql("insert into core.late values (1), (1)")

        given = claimed(twice, tenant)
        assert attempt(given) == "ready"
        assert notes() == [] and "UniqueViolation" in row(given.id)["last_error"]

    def test_a_lost_connection_is_not_the_jobs_failure(self, tenant: UUID) -> None:
        tries: list[object] = []

        def cut(given: Job) -> None:
            ledger(f"try {len(tries)}")
            pid = session().connection().exec_driver_sql("select pg_backend_pid()").scalar()
            if not tries:
                tries.append(pid)
                sql("select pg_terminate_backend(%s, 5000)", pid)

        given = claimed(cut, tenant)
        with pytest.raises(DBAPIError) as caught:
            attempt(given)
        assert caught.value.connection_invalidated
        assert notes() == [] and row(given.id)["state"] == "running"
        assert attempt(given) == "done" and notes() == ["try 1"], "the next unit has a new connection"

    def test_a_rolled_back_savepoint_forgets_what_was_prepared(self, tenant: UUID) -> None:
        def careful(given: Job) -> None:
            with pytest.raises(DBAPIError), session().begin_nested():
                session().connection().exec_driver_sql("select 1 / 0")
            ledger("mine")

        assert attempt(claimed(careful, tenant)) == "done" and notes() == ["mine"]

    def test_what_a_flush_adds_is_in_the_transaction(self, tenant: UUID) -> None:
        """SQLAlchemy's commit flushes until nothing is left; so must what comes before our COMMIT."""
        from chom_core.work import ScheduleRow

        sql("delete from core.schedule")
        at = datetime(2030, 1, 1, tzinfo=UTC)
        names = iter(["second", "third"])

        def more(fresh: object, context: object) -> None:
            if name := next(names, None):
                session().add(ScheduleRow(name=name, kind="t", cron="* * * * *", next_at=at))

        def adds(given: Job) -> None:
            event.listen(session(), "after_flush_postexec", more)
            session().add(ScheduleRow(name="first", kind="t", cron="* * * * *", next_at=at))

        assert attempt(claimed(adds, tenant)) == "done"
        found = sql(
            "select xmin::text from core.schedule union all select xmin::text from core.job where kind = 't.given'"
        )
        assert len(found) == 4 and len(set(found)) == 1, "one transaction wrote them all"

    def test_a_job_of_nobody_is_done_too(self) -> None:
        job("t.nobody")(lambda given: None)
        made = put("t.nobody")
        run_all()
        assert row(made)["state"] == "done"

    def test_the_fence_and_the_clock_are_set(self, tenant: UUID) -> None:
        other = make_tenant("Brightside")
        at = datetime(2031, 5, 6, 7, 8, 9, 500_000, tzinfo=UTC)
        stand(other, at)
        with transaction(other) as inside:
            fence = "select current_setting('chom.tenant_id', true)"
            assert inside.connection().exec_driver_sql(fence).scalar() == str(other)
            assert clock.now() == at and current().generation == 2
        with transaction() as inside:
            assert not inside.connection().exec_driver_sql(fence).scalar()
            assert clock.now() != at


def test_a_unit_inside_another_has_its_own_connection(shared: None, tenant: UUID) -> None:
    with transaction(tenant) as outer, transaction(tenant) as inner:
        pids = [
            each.connection().exec_driver_sql("select pg_backend_pid()").scalar() for each in (outer, inner)
        ]
        assert pids[0] != pids[1]
    assert engine.engine() is unit._bind().engine  # type: ignore[union-attr]


def test_a_drain_goes_on_after_a_job_that_fails(tenant: UUID) -> None:
    job("t.bad", attempts=1)(lambda given: session().connection().exec_driver_sql("select 1 / 0") and None)
    job("t.good")(lambda given: ledger("good"))
    for _ in range(OFTEN):
        put("t.bad", unit_tenant=tenant)
        put("t.good", unit_tenant=tenant)
    assert runner.drain("default") == 2 * OFTEN
    assert notes() == ["good"] * OFTEN
    assert sql("select state, count(*) from core.job group by 1 order by 1") == [
        ("dead", OFTEN),
        ("done", OFTEN),
    ]
