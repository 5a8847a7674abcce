"""Waking workers through Redis. SQL says whether there is work; a lost wake-up costs delay, never a job.

A short pool has one mark, `chom:wake:<pool>`, set with one RQ job `drain`. The drain takes the mark away *before* its
first claim: a job committed after that finds no mark and wakes anew. In a forked pool each job has its own mark and its
own RQ job. Marks expire, and the sweeper wakes whatever nobody took.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from chom_core.database import after_commit, current
from chom_core.work import checkpoint
from chom_core.work.handlers import KINDS, POOLS

if TYPE_CHECKING:
    # redis is loaded by who really wakes or works: its 60 modules are 0.1 s of a web process's boot.
    import redis
    from rq import Queue

log = structlog.get_logger("chom.work")

#: Seconds after which a mark is void: the belt for a worker that died between taking the wake-up and the mark.
#: A job of a forked pool may rightly wait behind long ones.
MARK_SECONDS = {False: 60, True: 600}
DRAIN, ONE = "chom_core.work.worker.drain_pool", "chom_core.work.worker.run_job"
#: A drain ends by itself within a minute; RQ only needs a generous upper bound for its own bookkeeping.
DRAIN_TIMEOUT = 3600

_url: str | None = None
_client: redis.Redis | None = None
_owner = 0


def configure(url: str | None) -> None:
    """Use the Redis at `url`; None or empty: wake nobody (tests, and `run_all`)."""
    global _url, _client
    _url, _client = url or None, None


def configured() -> bool:
    return _url is not None


def connect(timeout: float | None = None) -> redis.Redis:
    """A new client; `timeout` in seconds for connecting and for each answer."""
    if _url is None:
        raise RuntimeError("no Redis is configured: call work.wake.configure(url) first")
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        _url, socket_timeout=timeout, socket_connect_timeout=timeout or 5, retry=Retry(NoBackoff(), 1)
    )


def client() -> redis.Redis:
    """This process's client for wake-ups; quick to give up, since a request may be waiting. Remade after a fork."""
    global _client, _owner
    if _client is None or _owner != os.getpid():
        _client, _owner = connect(timeout=1.0), os.getpid()
    return _client


def queue_of(pool: str, connection: redis.Redis) -> Queue:
    """The RQ queue of `pool`. RQ is loaded here, by who really wakes or works."""
    from rq import Queue
    from rq.serializers import JSONSerializer

    return Queue(f"chom-{pool}", connection=connection, serializer=JSONSerializer)


def mark(pool: str, job_id: UUID | str | None = None) -> str:
    return f"chom:wake:{pool}" + (f":{job_id}" if job_id else "")


def wake_later(pool: str, job_id: UUID, kind: str) -> None:
    """Wake `pool` for this job once the current unit has committed; many jobs of a short pool wake it once."""
    if _url is None:
        return
    pending: dict[str, dict[UUID, str]] = current().cache.setdefault("work.wake", {})
    if not pending:
        after_commit(lambda: _wake_all(pending))
    pending.setdefault(pool, {})[job_id] = kind


def _wake_all(pending: dict[str, dict[UUID, str]]) -> None:
    taken = dict(pending)
    pending.clear()
    for pool, jobs in taken.items():
        wake(pool, jobs)


def wake(pool: str, jobs: dict[UUID, str] | None = None, *, force: bool = False) -> bool:
    """Wake `pool`; for a forked pool, for each of `jobs` (id → kind). False where Redis did not answer.

    `force` sets the mark anew: for the sweeper, when the work behind an old mark was evidently not taken.
    """
    if _url is None:
        return False
    from redis import RedisError

    checkpoint.reach("wake:before")
    try:
        queue = queue_of(pool, client())
        if POOLS.get(pool):
            for job_id, kind in (jobs or {}).items():
                known = KINDS.get(kind)
                timeout = int(known.timeout) + 5 if known else DRAIN_TIMEOUT
                _enqueue(queue, mark(pool, job_id), ONE, str(job_id), timeout, force)
        else:
            _enqueue(queue, mark(pool), DRAIN, pool, DRAIN_TIMEOUT, force)
    except RedisError as error:
        log.warning("workers not woken; the sweeper will", pool=pool, error=type(error).__name__)
        return False
    checkpoint.reach("wake:after")
    return True


def waiting(pool: str) -> int:
    """How many wake-ups nobody took yet; raises redis.RedisError."""
    return len(queue_of(pool, client()))


def _enqueue(queue: Queue, name: str, function: str, arg: str, timeout: int, force: bool) -> None:
    if not client().set(name, "1", nx=not force, ex=MARK_SECONDS[function == ONE]):
        return
    from redis import RedisError

    checkpoint.reach("wake:marked")
    try:
        queue.enqueue(function, arg, job_timeout=timeout, result_ttl=0, failure_ttl=600, description=name)
    except RedisError:
        client().delete(name)
        raise


def unmark(pool: str, job_id: str | None = None) -> None:
    """Take the mark away: from now on new work wakes anew."""
    if _url is None:
        return
    from redis import RedisError

    try:
        client().delete(mark(pool, job_id))
    except RedisError as error:
        log.warning("mark not taken away; it expires", pool=pool, error=type(error).__name__)
