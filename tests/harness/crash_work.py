"""The crash harness's jobs and what must be true of their effects, counted from the tables afterwards."""

from __future__ import annotations

import os
from typing import Any
from uuid import UUID

import psycopg

from chom_core.database import session, transaction
from chom_core.work import Job, checkpoint, emit, enqueue, job, lease, on, outside, runner
from chom_core.work.events import registered, subscribe
from chom_core.work.schedules import ScheduleSpec, install
from tests.harness.crash_place import Place

TABLES = """
create table core.planned (job_id uuid primary key, kind text);
create table core.ledger (id bigserial primary key, job_id uuid, effect text);
create table core.outside (key text primary key, calls int);
grant all on core.planned, core.ledger, core.outside to chom_app;
grant usage on sequence core.ledger_id_seq to chom_app;
"""
#: The effects that one planned job of a kind must have: each exactly once, whatever was killed.
EFFECTS = {
    "crash.plain": ("plain", "follow", "seen_a", "seen_b"),
    "crash.outside": ("outside",),
    "crash.flaky": ("flaky",),
    "crash.long": ("long",),
}
MANY = 1_000_000  # attempts: here the killer is outside, so no job may die of it
SUBJECTS = 40
#: Where the outside world is; set by `prepare`.
_outside_dsn = ""


def _effect(job_id: UUID, effect: str) -> None:
    checkpoint.reach("handler:before")
    session().connection().exec_driver_sql(
        "insert into core.ledger (job_id, effect) values (%s, %s)", (job_id, effect)
    )
    checkpoint.reach("handler:mid")


_world: dict[int, psycopg.Connection[Any]] = {}


def _call_outside(key: str) -> None:
    """The world beyond our transaction, which honours an idempotency key; one connection for each process."""
    pid = os.getpid()
    if pid not in _world or _world[pid].broken:
        _world[pid] = psycopg.connect(_outside_dsn, autocommit=True)
    _world[pid].execute(
        "insert into core.outside values (%s, 1) on conflict (key) do update set calls = outside.calls + 1",
        (key,),
    )
    checkpoint.reach("handler:outside")


@job("crash.plain", attempts=MANY)
def plain(given: Job) -> None:
    _effect(given.id, "plain")
    emit("crash.happened", subject=f"crash:{given.id.int % SUBJECTS}", payload={"job": str(given.id)})
    enqueue("crash.follow", {"job": str(given.id)}, key=f"follow:{given.id}")


@job("crash.follow", attempts=MANY)
def follow(given: Job) -> None:
    _effect(UUID(given.args["job"]), "follow")


@on("crash.happened", kind="crash.seen_a", attempts=MANY)
def seen_a(given: Job) -> None:
    _effect(UUID(given.event.payload["job"]), "seen_a")


@on("crash.happened", kind="crash.seen_b", attempts=MANY)
def seen_b(given: Job) -> None:
    _effect(UUID(given.event.payload["job"]), "seen_b")


@job("crash.outside", attempts=MANY)
def beyond(given: Job) -> None:
    outside(_call_outside, str(given.id))
    _effect(given.id, "outside")


@job("crash.flaky", attempts=MANY)
def flaky(given: Job) -> None:
    _effect(given.id, "flaky")
    if given.attempts == 1:
        raise ValueError("the first attempt never works")


@job("crash.long", pool="ssh", attempts=MANY)
def long(given: Job) -> None:
    outside(_call_outside, str(given.id))
    _effect(given.id, "long")


@job("crash.clock", attempts=MANY)
def clock(given: Job) -> None:
    _effect(given.id, given.args["due"])


def prepare(where: Place) -> None:
    """Tables, subscriptions and a schedule of the harness."""
    global _outside_dsn
    _outside_dsn = f"host={where.postgres.sockets} user=chom_app dbname=work"
    with psycopg.connect(_outside_dsn.replace("chom_app", "postgres"), autocommit=True) as root:
        root.execute(TABLES)
    with transaction():
        subscribe(None, registered(None))
        install(None, [ScheduleSpec("crash", "crash.clock", "* * * * * *", max_attempts=MANY)])


def supply(tenant: UUID, count: int, at: int) -> None:
    """Plan and enqueue `count` jobs in one transaction, so that what is expected is what was committed."""
    kinds = ["crash.plain", "crash.plain", "crash.outside", "crash.flaky", "crash.plain", "crash.long"]
    with transaction(tenant) as unit:
        for n in range(count):
            kind = kinds[(at + n) % len(kinds)]
            made = enqueue(kind)
            unit.connection().exec_driver_sql("insert into core.planned values (%s, %s)", (made, kind))


def plant_bug() -> None:
    """The classic: the done-mark in a commit of its own, after the effects'. The harness must catch it."""
    right, attempt = lease.finish, runner._attempt

    def marked_apart(given: Job) -> str:
        outcome = attempt(given)
        with lease.autocommit() as connection:
            connection.exec_driver_sql(lease.FINISH.sql, (None, str(given.id), str(given.token)))
        return outcome

    assert right is lease.finish
    lease.finish = lambda given, note=None: None
    runner._attempt = marked_apart


def count(root: psycopg.Connection[Any]) -> dict[str, int]:
    """What was lost and what doubled, over all effects of all planned jobs."""

    def number(sql: str) -> int:
        row = root.execute(sql).fetchone()
        assert row is not None
        return int(row[0] or 0)

    wanted = ", ".join(f"('{kind}', '{effect}')" for kind, effects in EFFECTS.items() for effect in effects)
    per = f"""select p.job_id, w.effect, count(l.id) as times from core.planned p
      join (values {wanted}) w (kind, effect) on w.kind = p.kind
      left join core.ledger l on l.job_id = p.job_id and l.effect = w.effect group by 1, 2"""
    doubled = number(f"select sum(times - 1) from ({per}) x where times > 1")
    doubled += number("select count(*) - count(distinct effect) from core.ledger where effect like '2%'")
    doubled += number(
        "select count(*) - count(distinct payload ->> 'job') from core.event where type = 'crash.happened'"
    )
    lost = number(f"select count(*) from ({per}) x where times = 0")
    lost += number(
        "select count(*) from core.planned where kind in ('crash.outside', 'crash.long')"
        " and job_id::text not in (select key from core.outside)"
    )
    lost += number("select count(*) from core.job where state in ('dead', 'failed')")
    lost += number(
        "select count(*) from (select subject from core.event group by subject"
        " having count(*) <> max(seq) or count(distinct seq) <> count(*)) x"
    )
    return {
        "planned": number("select count(*) from core.planned"),
        "effects": number("select count(*) from core.ledger"),
        "outside_calls": number("select sum(calls) from core.outside"),
        "schedule_runs": number("select count(*) from core.ledger where effect like '2%'"),
        "most_attempts": number("select max(attempts) from core.job"),
        "lost": lost,
        "doubled": doubled,
    }
