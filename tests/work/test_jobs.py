"""Jobs: enqueued with their transaction, run once, retried, given up, fenced, gated."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chom_core.database import acting_as, actor, clock, current, session, transaction
from chom_core.database.actor import ForeignWrite
from chom_core.values.errors import Conflict, NotFound
from chom_core.values.ids import uuid7
from chom_core.work import GiveUp, Job, current_job, enqueue, handlers, job, lease, outside, retry, run_all
from chom_core.work.lease import CLAIM_ANY, Fenced, claim
from chom_core.work.models import PluginState
from chom_core.work.runner import attempt
from tests.work.helpers import ledger, notes, put, row, sql


def test_a_job_exists_if_and_only_if_its_transaction_commits(tenant: UUID) -> None:
    job("t.note")(lambda j: ledger(f"{j.args['n']} for {current().tenant_id}"))
    with transaction(tenant) as unit:
        enqueue("t.note", {"n": 1})
        unit.rollback()
    made = put("t.note", {"n": 2}, unit_tenant=tenant)
    assert run_all() == 1
    assert notes() == [f"2 for {tenant}"]
    assert row(made)["state"] == "done"


def test_a_key_makes_at_most_one_job() -> None:
    job("t.note")(lambda j: ledger("ran"))
    put("t.note", key="invoice-7")
    with transaction():
        assert enqueue("t.note", key="invoice-7") is None
    run_all()
    with transaction():
        assert enqueue("t.note", key="invoice-7") is None, "a key counts for ever, done or not"


def test_a_later_job_waits_for_its_time() -> None:
    job("t.note")(lambda j: ledger("ran"))
    put("t.note", due_at=datetime.now(UTC) + timedelta(hours=1))
    assert run_all() == 0
    sql("update core.job set due_at = now()")
    assert run_all() == 1


def test_a_failing_attempt_leaves_nothing_and_is_retried_until_dead() -> None:
    lease.BACKOFF = 0.0

    @job("t.fails", attempts=3)
    def fails(j: Job) -> None:
        ledger("half")
        raise ValueError("gateway said no: password=hunter2 at postgres://chom:hunter2@db/x")

    made = put("t.fails")
    assert run_all(reraise=False) == 3
    found = row(made)
    assert (found["state"], found["attempts"], notes()) == ("dead", 3, [])
    assert "ValueError: gateway said no" in found["last_error"]
    assert "hunter2" not in found["last_error"]


def test_the_pause_before_the_next_attempt_doubles() -> None:
    @job("t.fails", attempts=9)
    def fails(j: Job) -> None:
        raise ValueError

    made, waits = put("t.fails"), []
    for _ in range(4):
        run_all(reraise=False)
        waits.append(sql("select extract(epoch from due_at - now()) from core.job")[0][0])
        sql("update core.job set due_at = now()")
    assert row(made)["attempts"] == 4
    assert [round(float(wait)) for wait in waits] == pytest.approx([5, 10, 20, 40], rel=0.35)


def test_the_parameters_of_a_failed_statement_are_not_kept() -> None:
    @job("t.sql")
    def fails(j: Job) -> None:
        session().connection().exec_driver_sql("select 1 from nowhere where x = %s", ("hunter2",))

    made = put("t.sql")
    run_all(reraise=False)
    assert "UndefinedTable" in row(made)["last_error"]
    assert "hunter2" not in row(made)["last_error"]


def test_a_handler_may_give_up_and_staff_may_try_again() -> None:
    happy = []

    @job("t.moody")
    def moody(j: Job) -> None:
        if not happy:
            raise GiveUp("the domain does not exist")

    made = put("t.moody")
    run_all()
    assert row(made)["state"] == "failed"
    assert row(made)["last_error"] == "the domain does not exist"
    happy.append(True)
    with transaction():
        retry(made)
    run_all()
    assert row(made)["state"] == "done"
    with transaction(), pytest.raises(Conflict):
        retry(made)
    with transaction(), pytest.raises(NotFound):
        retry(uuid7())


def test_an_unknown_kind_is_retried_and_says_so() -> None:
    made = put("t.nobody", plugin="projects")
    run_all(reraise=False)
    assert row(made)["state"] == "ready"
    assert "no handler for t.nobody is loaded here; is projects installed?" in row(made)["last_error"]


def test_a_lost_lease_fences_off_everything_the_attempt_did() -> None:
    @job("t.slow")
    def slow(j: Job) -> None:
        ledger(f"by {j.token}")
        if j.token == 1:  # meanwhile the lease runs out and another worker does the job
            sql("update core.job set lease_until = now() - interval '1 second'")
            assert lease.reclaim() == (1, {"default"})
            assert run_all() == 1

    put("t.slow")
    (first,) = claim(CLAIM_ANY)
    assert attempt(first) == "fenced"
    assert notes() == ["by 2"]


def test_a_crashed_attempt_counts_and_a_killer_dies_alone() -> None:
    job("t.note", attempts=2)(lambda j: ledger("ran"))
    killer, *_ = [put("t.note") for _ in range(4)]
    assert len(claim(CLAIM_ANY)) == 4
    sql("update core.job set lease_until = now() - interval '1 second'")
    lease.reclaim()
    assert [len(claim(CLAIM_ANY)) for _ in range(5)] == [1, 1, 1, 1, 0], (
        "what was tried before is claimed alone"
    )
    sql("update core.job set lease_until = now() - interval '1 second' where id = %s", killer)
    assert lease.reclaim() == (1, set())
    assert row(killer)["state"] == "dead"
    assert "lost its lease during attempt 2 of 2" in row(killer)["last_error"]


def test_a_time_limit_cannot_be_swallowed_not_even_inside_the_database() -> None:
    @job("t.hangs", timeout=0.2, attempts=1)
    def hangs(j: Job) -> None:
        while True:
            try:
                session().connection().exec_driver_sql("select pg_sleep(5)")
            except Exception:
                time.sleep(5)

    made = put("t.hangs")
    run_all(reraise=False)
    assert row(made)["state"] == "dead"
    assert "TimedOut: took longer than 0.2 s" in row(made)["last_error"]
    job("t.note")(lambda j: ledger("still working"))
    put("t.note")
    run_all()
    assert notes() == ["still working"]


def test_outside_commits_before_and_goes_on_after(tenant: UUID) -> None:
    seen = []

    def call(key: str) -> str:
        seen.append((key, notes(), session().in_transaction()))
        return "answer"

    @job("t.outside")
    def handler(j: Job) -> None:
        ledger("before")
        ledger(outside(call, str(j.id)))
        assert current().tenant_id == tenant
        assert current_job() is j

    made = put("t.outside", unit_tenant=tenant)
    run_all()
    assert seen == [(str(made), ["before"], False)]
    assert notes() == ["before", "answer"]


def test_outside_refuses_when_the_lease_is_lost() -> None:
    called: list[int] = []

    @job("t.outside")
    def handler(j: Job) -> None:
        ledger("before")
        sql("update core.job set token = token + 1")
        try:
            outside(called.append, 1)
        except Fenced:
            ledger("swallowed")  # a handler that swallows it still commits nothing

    put("t.outside")
    assert attempt(claim(CLAIM_ANY)[0]) == "fenced"
    assert (called, notes()) == ([], [])


def test_a_plugin_that_is_off_is_not_called(tenant: UUID) -> None:
    calls: list[Job] = []
    with handlers.registering("projects"):
        job("projects.work")(calls.append)
    made = put("projects.work", unit_tenant=tenant)
    assert row(made)["plugin"] == "projects"
    handlers.gate = lambda tenant_id, plugin: (tenant_id, plugin) != (tenant, "projects")
    run_all()
    assert (row(made)["state"], calls) == ("done", [])
    assert row(made)["last_error"] == "not run: projects is off for this organisation"


def test_a_plugin_runs_as_itself(tenant: UUID) -> None:
    actors: list[str] = []
    with handlers.registering("projects"):

        @job("projects.work", attempts=1)
        def work(j: Job) -> None:
            actors.append(actor())
            session().add(PluginState(tenant_id=tenant, plugin="projects"))

    put("projects.work", unit_tenant=tenant)
    with pytest.raises(ForeignWrite):
        run_all()
    assert actors == ["projects"]
    entered = []

    @contextmanager
    def entering(plugin: str):  # type: ignore[no-untyped-def]
        entered.append(plugin)
        with acting_as(plugin):
            yield

    handlers.entering = entering
    sql("update core.job set state = 'ready', due_at = now()")
    run_all(reraise=False)
    assert entered == ["projects"]


def test_pools_and_kinds_are_checked_at_registration() -> None:
    with pytest.raises(ValueError, match="there is no pool 'fast'"):
        job("t.x", pool="fast")
    with pytest.raises(ValueError, match="would hold up the pool default"):
        job("t.x", long=True)
    job("t.x")(test_pools_and_kinds_are_checked_at_registration)  # type: ignore[type-var]
    with pytest.raises(ValueError, match="two handlers for the job"):
        job("t.x")(test_a_key_makes_at_most_one_job)  # type: ignore[type-var]


def test_a_unit_of_work_knows_its_clock_before_its_first_query(tenant: UUID) -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    sql("update core.tenant set clock_at = %s where id = %s", at, tenant)
    with transaction(tenant):
        assert clock.now() == at
