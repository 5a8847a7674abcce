"""The lease as a state machine: whatever workers do and die of, each job's effect happens exactly once."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from chom_core.database import transaction
from chom_core.work import Job, job, lease
from chom_core.work.runner import attempt
from tests.work.helpers import ledger, put, sql


class Leases(RuleBasedStateMachine):
    """`hands` are claims that some worker holds in memory, for ever: a worker may wake up at any time and finish."""

    def __init__(self) -> None:
        super().__init__()
        self.hands: list[Job] = []
        self.made: set[UUID] = set()

    @initialize()
    def begin(self) -> None:
        """Three jobs, which a first worker has claimed: every example has something to lose."""
        sql("truncate core.job, core.ledger")
        job("model.effect", attempts=10_000)(lambda given: ledger("effect", given.id))
        self.enqueue(3)
        self.claim(4)

    @rule(count=st.integers(1, 3))
    def enqueue(self, count: int) -> None:
        self.made |= {put("model.effect") for _ in range(count)}

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        taken = lease.claim(lease.CLAIM_POOL, limit, pool="default")
        live = {(job.id, job.token) for job in self.hands}
        assert not live & {(job.id, job.token) for job in taken}, "a token is given once"
        self.hands += taken

    @rule(which=st.integers(0, 50))
    def finish(self, which: int) -> None:
        if self.hands:
            given = self.hands[which % len(self.hands)]
            newest = max(job.token for job in self.hands if job.id == given.id)
            outcome = attempt(given)
            assert outcome in ("done", "fenced")
            assert outcome == "fenced" or given.token == newest, "only the newest claim may finish"

    @rule(which=st.integers(0, 50))
    def fail(self, which: int) -> None:
        if self.hands:
            lease.fail(self.hands[which % len(self.hands)], "failed")

    @rule(which=st.integers(0, 50))
    def hold(self, which: int) -> None:
        if self.hands:
            given = self.hands[which % len(self.hands)]
            with transaction() as unit:
                try:
                    lease.hold(unit.connection(), given)
                except lease.Fenced:
                    assert sql("select token, state from core.job where id = %s", given.id) != [
                        (given.token, "running")
                    ]

    @rule()
    def steal(self) -> None:
        """All leases run out while their workers sleep, and others take the jobs."""
        self.crash(1)
        self.claim(4)

    @rule(share=st.integers(1, 3))
    def crash(self, share: int) -> None:
        """Some leases run out."""
        sql(
            "update core.job set lease_until = now() - interval '1 s' where state = 'running' and token %% %s = 0",
            share,
        )
        lease.reclaim()

    @invariant()
    def nothing_doubled(self) -> None:
        assert sql("select job_id from core.ledger group by 1 having count(*) > 1") == []
        assert sql("select count(*) from core.job where state = 'done'") == sql(
            "select count(*) from core.ledger"
        )

    def teardown(self) -> None:
        """Nothing lost: clean workers finish everything."""
        while left := sql("select count(*) from core.job where state <> 'done'")[0][0]:
            sql("update core.job set lease_until = now() - interval '1 s' where state = 'running'")
            lease.reclaim()
            sql("update core.job set due_at = now()")
            for given in lease.claim(lease.CLAIM_ANY):
                assert attempt(given) == "done"
            assert sql("select count(*) from core.job where state <> 'done'")[0][0] < left
        assert {made for (made,) in sql("select job_id from core.ledger")} == self.made


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BACKOFF", 0.0)


def test_leases() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Leases,
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
