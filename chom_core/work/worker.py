"""Worker processes: one parent, one RQ worker for each pool, restarted whenever it ends.

One queue per RQ worker: with two RQ pops without a safe copy and loses jobs. RQ's retries are off and its payload is
JSON; what it loses all the same, the sweeper wakes again, since the truth is in SQL.

    python -m chom_core.work.worker --pools default,mail --load my.handlers      (CHOM_DATABASE_URL, CHOM_REDIS_URL)
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any
from uuid import UUID

import structlog
from rq import Queue, SimpleWorker, Worker
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty, JobTimeoutException, UnixSignalDeathPenalty

from chom_core.database import engine
from chom_core.work import runner, wake
from chom_core.work.handlers import POOLS

log = structlog.get_logger("chom.work")
_PR_SET_PDEATHSIG = 1


def drain_pool(pool: str) -> int:
    """What RQ runs for a short pool."""
    return runner.drain(pool)


def run_job(job_id: str) -> str:
    """What RQ runs, in a forked horse, for one job of a forked pool."""
    return runner.run_one(UUID(job_id), _pool)


_pool = ""


class Penalty(BaseDeathPenalty):
    """RQ's time limits in our workers. Inside a job the runner's `deadline` rules (one alarm, one owner), so RQ's
    own limit only tells the parent of a horse when to kill it; the parent's waits on its horse stay RQ's."""

    def __init__(self, timeout: float, exception: type[BaseException], **kwargs: Any) -> None:
        super().__init__(timeout, exception, **kwargs)  # type: ignore[no-untyped-call]
        self._rq = None if exception is JobTimeoutException else UnixSignalDeathPenalty(timeout, exception)

    def setup_death_penalty(self) -> None:
        if self._rq is not None:
            self._rq.setup_death_penalty()

    def cancel_death_penalty(self) -> None:
        if self._rq is not None:
            self._rq.cancel_death_penalty()


class Drainer(SimpleWorker):
    """Drains a short pool in batches, in one process."""

    death_penalty_class = Penalty
    max_connection_wait_time = 5.0
    log_result_lifespan = log_job_description = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        runner.stopping.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


class Forker(Worker):
    """Gives each job a process of its own, and kills it where it hangs beyond its time."""

    death_penalty_class = Penalty
    max_connection_wait_time = 5.0
    log_result_lifespan = log_job_description = False

    def main_work_horse(self, job: Any, queue: Queue) -> None:
        engine.forget_connections()
        super().main_work_horse(job, queue)


def make_worker(pool: str) -> Drainer | Forker:
    """The RQ worker of `pool`, on a connection of its own."""
    global _pool
    _pool = pool
    connection = wake.connect()
    queue = wake.queue_of(pool, connection)
    kind = Forker if POOLS[pool] else Drainer
    return kind([queue], connection=connection, serializer=JSONSerializer, worker_ttl=60)


def work(pool: str, *, burst: bool = False) -> None:
    """Work for `pool` in this process until told to stop. A first drain needs no wake-up."""
    if not POOLS[pool]:
        runner.drain(pool)
    make_worker(pool).work(burst=burst, logging_level="WARNING")


def run_worker(pools: Sequence[str], stop_after: float = 60) -> None:
    """The parent: one child for each pool, restarted with a pause that grows to 5 s. Ends on SIGTERM or SIGINT.

    Call it with the engine and `wake` configured and every handler loaded; children are forked from here.
    """
    unknown = [pool for pool in pools if pool not in POOLS]
    if unknown:
        raise ValueError(f"there is no pool {unknown[0]!r}; there are {', '.join(POOLS)}")
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        for pid in list(children):
            _signal(pid, signal.SIGTERM)

    children: dict[int, str] = {}
    started: dict[str, float] = {}
    pause = dict.fromkeys(pools, 0.1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while not stopping or children:
        for pool in [] if stopping else [pool for pool in pools if pool not in children.values()]:
            if time.monotonic() - started.get(pool, -pause[pool]) >= pause[pool]:
                started[pool] = time.monotonic()
                children[_spawn(pool)] = pool
        pid, status = os.waitpid(-1, os.WNOHANG) if children else (0, 0)
        if not pid:
            time.sleep(0.1)
            continue
        pool = children.pop(pid, "")
        if pool and not stopping:
            lived = time.monotonic() - started[pool]
            pause[pool] = 0.1 if lived > 10 else min(pause[pool] * 2, 5.0)
            log.warning("worker ended, starting it again", pool=pool, status=status, pause=pause[pool])


def _spawn(pool: str) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        die_with(parent)
        engine.forget_connections()
        work(pool)
        code = 0
    except Exception:
        log.exception("worker failed", pool=pool)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def die_with(parent: int) -> None:
    """Ask the kernel for a SIGTERM when the parent goes (Linux; elsewhere the parent's own signals must do)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(0)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def main() -> None:
    """Run workers with handlers from the modules named by --load."""
    parser = argparse.ArgumentParser(description="CHOM's workers")
    parser.add_argument("--pools", default="default,mail")
    parser.add_argument("--load", default="", help="modules that register handlers, by comma")
    given = parser.parse_args()
    engine.configure(os.environ["CHOM_DATABASE_URL"])
    wake.configure(os.environ["CHOM_REDIS_URL"])
    for module in filter(None, given.load.split(",")):
        importlib.import_module(module)
    run_worker(given.pools.split(","))


if __name__ == "__main__":
    main()
