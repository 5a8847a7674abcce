"""Running jobs: one transaction holds a job's effects and its done-mark, so both happen or neither.

A handler that calls the outside world uses `outside`, which commits what it wrote so far; should the worker die after
that, the handler runs again from its start: write it so that it sees how far it came.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import ParamSpec, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from structlog.contextvars import bound_contextvars

from chom_core.database import actor, one_connection, restart, session, transaction
from chom_core.database.actor import CORE
from chom_core.work import checkpoint, handlers, lease, wake
from chom_core.work.deadline import TimedOut, deadline
from chom_core.work.handlers import KINDS, POOLS, GiveUp, Job
from chom_core.work.lease import Fenced, Keeper
from chom_core.work.scrub import clean, describe

log = structlog.get_logger("chom.work")
P = ParamSpec("P")
T = TypeVar("T")

_running: ContextVar[Job | None] = ContextVar("chom_job", default=None)


class Moved(Exception):
    """The job stands in a pool that is not its own."""


def current_job() -> Job | None:
    """The job whose handler runs now."""
    return _running.get()


def outside(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Commit what was written, call `function` with no transaction open, go on in a new transaction of the same unit.

    In a job the commit happens only while its lease holds (else Fenced: nothing of it stays). `function` must not
    use the session, and takes an idempotency key made from the job's id: it may be called again after a crash.
    """
    job = _running.get()
    session().flush()
    if job is not None:
        lease.hold(session().connection(), job)
    checkpoint.reach("outside:held")
    restart()
    checkpoint.reach("outside:committed")
    answer = function(*args, **kwargs)
    checkpoint.reach("outside:called")
    return answer


def attempt(job: Job, *, reraise: bool = False) -> str:
    """Run one claimed job; returns its outcome: done, off, ready (will be retried), failed, dead, moved or fenced."""
    names = {
        "job_id": str(job.id),
        "job_kind": job.kind,
        "tenant_id": str(job.tenant_id or ""),
        "plugin": job.plugin,
    }
    with bound_contextvars(**names):
        try:
            return _attempt(job)
        except Fenced:
            return _fenced()
        except Moved:
            lease.release([job], KINDS[job.kind].pool)
            wake.wake(KINDS[job.kind].pool, {job.id: job.kind})
            return "moved"
        except GiveUp as error:
            log.warning("job failed", error=clean(str(error)))
            return lease.fail(job, clean(str(error)) or "its handler gave up", final=True)
        except DBAPIError as error:
            if lease.fenced(error):
                return _fenced()
            if error.connection_invalidated:
                raise  # the database went away: the lease runs out, the job comes back
            return _failed(job, error, reraise)
        except (Exception, TimedOut) as error:
            return _failed(job, error, reraise)


def _fenced() -> str:
    log.warning("job fenced: its lease went to another worker")
    return "fenced"


def _failed(job: Job, error: BaseException, reraise: bool) -> str:
    state = lease.fail(job, describe(error))
    log.warning("job attempt failed", state=state, attempt=job.attempts, error=describe(error))
    if reraise:
        raise error
    return state


def _attempt(job: Job) -> str:
    kind = KINDS.get(job.kind)
    plugin = job.plugin or (kind.plugin if kind else None)
    if kind is not None and POOLS[kind.pool] and not POOLS.get(job.pool, False) and _running_pool.get():
        raise Moved
    token = _running.set(job)
    try:
        with transaction(job.tenant_id) as unit:
            note = None
            if plugin is not None and not handlers.gate(job.tenant_id, plugin):
                note = f"not run: {plugin} is off for this organisation"
            elif kind is None:
                raise LookupError(f"no handler for {job.kind} is loaded here; is {plugin or 'it'} installed?")
            else:
                checkpoint.reach("run:begun")
                with handlers.entering(plugin) if plugin else nullcontext(), deadline(kind.timeout):
                    kind.handler(job)
                    unit.flush()
                checkpoint.reach("run:handled")
            lease.finish(job, note)
            checkpoint.reach("run:marked")  # from here the mark goes with the COMMIT
        checkpoint.reach("run:committed")
        return "off" if note else "done"
    finally:
        _running.reset(token)


#: Set when this process was asked to end: a drain gives back what it has not begun.
stopping = threading.Event()
#: The pool this process drains for a worker, or None where everything is run inline.
_running_pool: ContextVar[str | None] = ContextVar("chom_pool", default=None)


def drain(pool: str, seconds: float = 60) -> int:
    """Run what is ready in a short pool, for at most about `seconds`. Returns the number of jobs run."""
    done, until = 0, time.monotonic() + seconds
    with _draining(pool), Keeper() as keeper:
        wake.unmark(pool)  # before the first claim, so that no wake-up is lost
        while not _enough(until):
            checkpoint.reach("claim:before")
            jobs = lease.claim(lease.CLAIM_POOL, pool=pool)
            if not jobs:
                return done
            done += _run_batch(jobs, keeper, until)
    wake.wake(pool)
    return done


def _enough(until: float) -> bool:
    return stopping.is_set() or time.monotonic() > until


def _run_batch(jobs: list[Job], keeper: Keeper, until: float) -> int:
    keeper.add(jobs)
    with one_connection():
        return _run_each(jobs, keeper, until)


def _run_each(jobs: list[Job], keeper: Keeper, until: float) -> int:
    for index, job in enumerate(jobs):
        if index and _enough(until):
            rest = jobs[index:]
            for left in rest:
                keeper.drop(left)
            lease.release(rest)
            return index
        try:
            attempt(job)
        finally:
            keeper.drop(job)
    return len(jobs)


def run_one(job_id: UUID, pool: str) -> str:
    """Run one job of a forked pool, if it is still there to take; else `gone`."""
    with _draining(pool), Keeper() as keeper:
        wake.unmark(pool, str(job_id))
        checkpoint.reach("claim:before")
        jobs = lease.claim(lease.CLAIM_ONE, 1, id=job_id)
        keeper.add(jobs)
        return attempt(jobs[0]) if jobs else "gone"


@contextmanager
def _draining(pool: str) -> Iterator[None]:
    token = _running_pool.set(pool)
    try:
        yield
    finally:
        _running_pool.reset(token)


def run_all(tenant_id: UUID | None = None, *, reraise: bool = True, limit: int = 100_000) -> int:
    """Run everything that is ready, of all pools, in this process, until nothing is: for tests and the simulation.

    `tenant_id`: of this organisation only. `reraise`: a handler's error comes out (its attempt is recorded).
    """
    done = 0
    sql, where = (lease.CLAIM_ANY, {}) if tenant_id is None else (lease.CLAIM_TENANT, {"tenant": tenant_id})
    if actor() != CORE:
        raise RuntimeError("a plugin's code does not run other jobs")
    while done < limit:
        jobs: list[Job] = lease.claim(sql, **where)  # type: ignore[arg-type]
        if not jobs:
            return done
        done += _run_inline(jobs, reraise)
    raise RuntimeError(f"more than {limit} jobs: does one of them enqueue itself?")


def _run_inline(jobs: list[Job], reraise: bool) -> int:
    with Keeper() as keeper:
        keeper.add(jobs)
        for index, job in enumerate(jobs):
            try:
                attempt(job, reraise=reraise)
            except BaseException:
                lease.release(jobs[index + 1 :])
                raise
            finally:
                keeper.drop(job)
    return len(jobs)
