"""Claims: who may run a job, until when, and the token that proves it. All times here are the database's clock.

Plain SQL on purpose: this is the hot path. A claim takes a batch of fresh jobs; a job that was tried before is taken
alone, so that one which kills its worker cannot wear out the attempts of its neighbours.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog
from psycopg.errors import InvalidTextRepresentation
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from chom_core.database import commit_with, engine
from chom_core.database.wire import Statement
from chom_core.work import checkpoint
from chom_core.work.handlers import Job

log = structlog.get_logger("chom.work")

#: How long a claim holds without renewal, in seconds. It is renewed every third of it.
LEASE = 30.0
BATCH = 20
#: Seconds before the second attempt; doubled each time, at most an hour, ± 25 %.
BACKOFF = 5.0

_COLUMNS = "j.id, j.tenant_id, j.plugin, j.kind, j.args, j.token, j.attempts, j.max_attempts, j.pool"
_TAKE = f"""
update core.job j set state = 'running', token = token + 1, attempts = attempts + 1,
       lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
where j.id = any(array(%(picked)s)) returning j.due_at, {_COLUMNS}
"""
_DUE = """
with due as materialized (
  select id, attempts, due_at from core.job where state = 'ready' and due_at <= now() {where}
  order by due_at, id limit %(limit)s for update skip locked),
first as (select id, attempts > 0 as tried from due order by due_at, id limit 1)
"""
_PICKED = "select d.id from due d, first f where case when f.tried then d.id = f.id else d.attempts = 0 end"


def _claim_sql(where: str) -> str:
    take = _TAKE.replace("%(picked)s", _PICKED)
    return _DUE.format(where=where) + take


CLAIM_POOL = _claim_sql("and pool = %(pool)s")
CLAIM_TENANT = _claim_sql("and tenant_id = %(tenant)s")
CLAIM_ANY = _claim_sql("")
CLAIM_ONE = _claim_sql("and id = %(id)s")

_HELD = " where id = %(id)s and token = %(token)s and state = 'running'"
_LOST = "the lease was lost"
# It fails where the lease was lost, since its COMMIT is in the same message. The cast is of an aggregate: one of a
# constant would be made, and fail, when the statement is planned.
FINISH = Statement(f"""
with done as (
  update core.job set state = 'done', finished_at = now(), lease_until = null, last_error = %s::text
  where id = %s::uuid and token = %s::bigint and state = 'running' returning 1)
select (case count(*) when 1 then '1' else '{_LOST}' end)::int from done
""")
_FAIL = (
    "update core.job set state = %(state)s::text, lease_until = null, last_error = %(error)s::text,"
    " due_at = now() + make_interval(secs => %(delay)s),"
    " finished_at = case when %(state)s::text = 'ready' then null else now() end" + _HELD
)
_RELEASE = (
    "update core.job j set state = 'ready', lease_until = null, attempts = attempts - 1, pool = coalesce(%s, pool)"
    " from unnest(%s::uuid[], %s::bigint[]) as h(id, token)"
    " where j.id = h.id and j.token = h.token and j.state = 'running'"
)
_RENEW = (
    "update core.job j set lease_until = clock_timestamp() + make_interval(secs => %s)"
    " from unnest(%s::uuid[], %s::bigint[]) as h(id, token)"
    " where j.id = h.id and j.token = h.token and j.state = 'running'"
)
_RECLAIM = """
update core.job set lease_until = null,
       state = case when attempts < max_attempts then 'ready' else 'dead' end,
       due_at = now(),
       finished_at = case when attempts < max_attempts then null else now() end,
       last_error = 'its worker ended or lost its lease during attempt ' || attempts || ' of ' || max_attempts
where id = any(array(select id from core.job where state = 'running' and lease_until < clock_timestamp()
                     order by lease_until limit 500 for update skip locked))
returning pool, state
"""


class Fenced(Exception):
    """The lease was lost and somebody else has the job: everything this attempt did in SQL is rolled back."""


@contextmanager
def autocommit() -> Iterator[Connection]:
    """A connection where each statement is its own transaction: claims and marks need no more."""
    with engine.engine().connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def claim(sql: str, limit: int = BATCH, **where: Any) -> list[Job]:
    """Lease up to `limit` due jobs, oldest first. A batch holds fresh jobs only, or one that was tried before."""
    with autocommit() as connection:
        rows = connection.exec_driver_sql(sql, {"lease": LEASE, "limit": limit, **where}).all()
    checkpoint.reach("claim:taken")
    rows = sorted(rows, key=lambda row: (row[0], row[1]))
    return [Job(row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9]) for row in rows]


def finish(job: Job, note: str | None = None) -> None:
    """Let the current unit's COMMIT mark `job` done; where the lease is lost it fails instead (see `fenced`)."""
    commit_with(FINISH, note, str(job.id), str(job.token))


def fenced(error: DBAPIError) -> bool:
    """Is `error` what FINISH raises for a job that is not ours any more?"""
    return isinstance(error.orig, InvalidTextRepresentation) and _LOST in str(error.orig)


def hold(connection: Connection, job: Job) -> None:
    """Check that `job` is still ours and lock it until the transaction ends; renews the lease."""
    if connection.exec_driver_sql(_RENEW, (LEASE, [job.id], [job.token])).rowcount != 1:
        raise Fenced(f"{job.kind} {job.id}: the lease was lost")


def fail(job: Job, error: str, *, final: bool = False) -> str:
    """Record a failed attempt: `ready` again after a pause, `dead` when attempts are used up, `failed` if final."""
    state = "failed" if final else "ready" if job.attempts < job.max_attempts else "dead"
    delay = min(BACKOFF * 2 ** (job.attempts - 1), 3600) * random.uniform(0.75, 1.25)  # noqa: S311 (jitter)
    checkpoint.reach("fail:before")
    values = {"id": job.id, "token": job.token, "state": state, "error": error, "delay": delay}
    with autocommit() as connection:
        count = connection.exec_driver_sql(_FAIL, values).rowcount
    checkpoint.reach("fail:after")
    return state if count else "fenced"


def release(jobs: Sequence[Job], pool: str | None = None) -> None:
    """Give back jobs that were claimed and not begun; `pool` moves them to where they belong."""
    if jobs:
        with autocommit() as connection:
            connection.exec_driver_sql(_RELEASE, (pool, [j.id for j in jobs], [j.token for j in jobs]))


def reclaim() -> tuple[int, set[str]]:
    """Make ready again what dead workers held. Returns how many, and the pools to wake."""
    with autocommit() as connection:
        rows = connection.exec_driver_sql(_RECLAIM).all()
    return len(rows), {pool for pool, state in rows if state == "ready"}


class Keeper:
    """Renews, from a thread, the leases this process holds. It needs the interpreter: a stuck process loses them."""

    def __init__(self) -> None:
        self._held: dict[UUID, int] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chom-leases", daemon=True)

    def __enter__(self) -> Keeper:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def add(self, jobs: Sequence[Job]) -> None:
        with self._lock:
            self._held.update({job.id: job.token for job in jobs})

    def drop(self, job: Job) -> None:
        with self._lock:
            self._held.pop(job.id, None)

    def _run(self) -> None:
        while not self._stop.wait(LEASE / 3):
            with self._lock:
                held = list(self._held.items())
            if not held:
                continue
            try:
                with autocommit() as connection:
                    connection.exec_driver_sql(_RENEW, (LEASE, [i for i, _ in held], [t for _, t in held]))
            except SQLAlchemyError:
                log.warning("leases not renewed", jobs=len(held), exc_info=True)
