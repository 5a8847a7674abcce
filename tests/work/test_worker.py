"""Real worker processes on real servers: woken through Redis, surviving the loss of Redis and of Postgres."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from chom_core.database import engine, transaction
from chom_core.work import enqueue, handlers, scheduler, wake
from tests.harness.crash_place import Place
from tests.work import handlers_for_worker, helpers
from tests.work.helpers import notes, put, row, sql, until

ROOT = Path(__file__).parents[2]
Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(woken: Place, tmp_path: Path) -> Iterator[Start]:
    """Starts `python -m chom_core.work.worker`; what was started is stopped by SIGTERM, and must end by itself."""
    handlers.KINDS.update(handlers_for_worker.MINE)
    running: list[subprocess.Popen[bytes]] = []
    env = os.environ | {"CHOM_DATABASE_URL": woken.app_url, "CHOM_REDIS_URL": woken.valkey.url}

    def run(pools: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "chom_core.work.worker", "--pools", pools]
        command += ["--load", handlers_for_worker.__name__]
        with (tmp_path / "log").open("ab") as log:
            running.append(subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log))
        return running[-1]

    yield run
    for process in running:
        process.send_signal(signal.SIGTERM)
    for process in running:
        assert process.wait(60) == 0, (tmp_path / "log").read_text()


def done(count: int) -> bool:
    return len(notes()) >= count


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_worker_is_woken_and_restarted_when_killed(start: Start) -> None:
    parent = start("default")
    put("w.note", {"n": 1})
    until(lambda: done(1))
    put("w.note", {"n": 2})
    until(lambda: done(2))
    (child,) = children(parent.pid)
    os.kill(child, signal.SIGKILL)
    until(lambda: children(parent.pid) not in ([], [child]))
    put("w.note", {"n": 3})
    until(lambda: done(3))
    assert notes() == ["1", "2", "3"]


def test_a_worker_survives_an_emptied_and_a_killed_redis_and_a_crashed_postgres(
    start: Start, woken: Place
) -> None:
    scheduler.STALE, before = 0.0, scheduler.STALE
    start("default")

    def works(n: int) -> None:
        def put_and_sweep() -> bool:
            try:
                with transaction():
                    enqueue("w.note", {"n": n}, key=f"n{n}")
                scheduler.sweep()
                return f"{n}" in notes()
            except OperationalError:
                return False

        until(put_and_sweep, 40)

    works(1)
    woken.valkey.flush()
    works(2)
    woken.valkey.kill()
    with transaction():
        enqueue("w.note", {"n": 3}, key="n3")  # Redis is away: the job is safe, the wake-up is only late
    woken.valkey.start()
    works(3)
    woken.postgres.restart("immediate")
    helpers.root[0].close()
    helpers.root[0] = helpers.connect(woken)
    with pytest.raises(OperationalError), engine.engine().connect() as stale:
        stale.execute(text("select 1"))
    works(4)
    assert notes() == ["1", "2", "3", "4"]
    scheduler.STALE = before


def test_a_forked_pool_gives_each_job_a_process_and_ends_what_hangs(start: Start) -> None:
    start("ssh")
    hanging = put("w.hangs")
    for _ in range(2):
        put("w.pid")
    until(lambda: done(2) and row(hanging)["state"] == "dead")
    assert len(set(notes())) == 2, "two jobs, two processes"
    assert "TimedOut: took longer than 0.5 s" in row(hanging)["last_error"]


def test_a_job_in_the_wrong_pool_is_moved_to_its_own(start: Start) -> None:
    made = put("w.pid", pool="default")
    start("default,ssh")
    until(lambda: done(1))
    assert (row(made)["pool"], row(made)["attempts"]) == ("ssh", 1)


def test_many_jobs_of_a_commit_wake_once_and_marks_are_taken_first(woken: Place) -> None:
    with transaction():
        for n in range(5):
            enqueue("w.note", {"n": n})
        assert wake.waiting("default") == 0, "nobody is woken for what is not committed"
    assert wake.waiting("default") == 1
    put("w.note", {"n": 6})
    assert wake.waiting("default") == 1
    wake.unmark("default")
    put("w.note", {"n": 7})
    assert wake.waiting("default") == 2, "after a drain began, new work wakes anew"


def test_the_sweeper_wakes_what_nobody_took(woken: Place) -> None:
    put("w.note", {"n": 1})
    put("w.pid", pool="ssh")
    woken.valkey.flush()
    scheduler.sweep()
    assert (wake.waiting("default"), wake.waiting("ssh")) == (1, 1)
    scheduler.sweep()
    assert (wake.waiting("default"), wake.waiting("ssh")) == (1, 1), "a waiting wake-up is enough"
    for pool in ("default", "ssh"):
        wake.queue_of(pool, wake.client()).empty()  # a worker died with the wake-up: marks still stand
    scheduler.sweep()
    assert (wake.waiting("default"), wake.waiting("ssh")) == (0, 0)
    sql("update core.job set due_at = now() - interval '1 minute'")
    scheduler.sweep()
    assert (wake.waiting("default"), wake.waiting("ssh")) == (1, 1)


def test_old_events_and_done_jobs_go_and_broken_ones_stay() -> None:
    for state, days in (("done", 15), ("done", 13), ("dead", 400), ("ready", 400)):
        made = put("w.note", {"n": 0})
        sql(
            "update core.job set state = %s, finished_at = now() - make_interval(days => %s) where id = %s",
            state,
            days,
            made,
        )
    for days in (91, 89):
        sql(
            "insert into core.event (id, created_at, type, subject, seq, payload, at) values"
            " (gen_random_uuid(), now() - make_interval(days => %s), 't', 's', 1, '{}', now())",
            days,
        )
    assert scheduler.purge(batch=1) == {"event": 1, "job": 1}
    assert sql("select state from core.job order by state") == [("dead",), ("done",), ("ready",)]
