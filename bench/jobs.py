"""`./dev bench jobs`: short jobs with an exactly-once SQL effect, against a bare loop doing the same.

One worker drains jobs of organisations, each inserting one row in the transaction that marks it done. The floor is
psycopg alone: claim as many at once by SKIP LOCKED, then one transaction for each. Both are measured interleaved in the
same process and server; the figure is the best round, CPU the least of a round (this process; the server's apart).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from uuid import UUID

import psycopg

from chom_core.database import session
from chom_core.work import Job, job, lease, runner, wake
from tests.harness.crash_place import Place, make_tenant, place

_CLAIM = """update core.job set state = 'running', token = token + 1, attempts = attempts + 1,
lease_until = now() + interval '30 seconds' where id = any(array(select id from core.job
where pool = 'default' and state = 'ready' and due_at <= now() order by due_at, id limit %s for update skip locked))
returning id, token, args"""


@job("bench.effect")
def effect(given: Job) -> None:
    session().connection().exec_driver_sql(
        "insert into core.ledger (job_id, amount) values (%s, %s)", (given.id, given.args["amount"])
    )


def fill(root: psycopg.Connection, tenant: UUID, count: int) -> None:
    root.execute("truncate core.job, core.ledger")
    root.execute(
        "insert into core.job (id, tenant_id, kind, pool, args, max_attempts)"
        " select gen_random_uuid(), %s, 'bench.effect', 'default', '{\"amount\": 7}', 5 from generate_series(1, %s)",
        (tenant, count),
    )
    root.execute("vacuum analyze core.job")


def house() -> None:
    runner.drain("default", seconds=600)


def floor(connection: psycopg.Connection) -> None:
    while True:
        with connection.transaction():
            rows = connection.execute(_CLAIM, (lease.BATCH,)).fetchall()
        if not rows:
            return
        for job_id, token, args in rows:
            with connection.transaction():
                connection.execute(
                    "insert into core.ledger (job_id, amount) values (%s, %s)", (job_id, args["amount"])
                )
                connection.execute(
                    "update core.job set state = 'done', finished_at = now() where id = %s and token = %s"
                    " and state = 'running'",
                    (job_id, token),
                )


def measure(run: Callable[[], None]) -> tuple[float, float]:
    """(wall seconds, CPU seconds of this process)."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def bench(where: Place, jobs: int, rounds: int) -> list[dict[str, object]]:
    wake.configure(None)  # claiming and running is measured, not Redis
    tenant = make_tenant()
    host = str(where.postgres.sockets)
    with (
        psycopg.connect(host=host, user="postgres", dbname="work", autocommit=True) as root,
        psycopg.connect(host=host, user="chom_app", dbname="work") as bare,
    ):
        root.execute("create table core.ledger (id bigserial primary key, job_id uuid, amount int)")
        root.execute(
            "grant all on core.ledger to chom_app; grant usage on sequence core.ledger_id_seq to chom_app"
        )
        bare.autocommit = True
        times: dict[str, list[tuple[float, float]]] = {"house": [], "floor": []}
        for _ in range(rounds):
            for name, run in (("house", house), ("floor", lambda: floor(bare))):
                fill(root, tenant, jobs)
                times[name].append(measure(run))
                counts = root.execute(
                    "select count(*), count(distinct job_id), (select count(*) from core.job where state = 'done')"
                    " from core.ledger"
                ).fetchone()
                assert counts == (jobs, jobs, jobs), counts
    wall = {name: min(w for w, _ in found) for name, found in times.items()}
    cpu = {name: min(c for _, c in found) / jobs * 1000 for name, found in times.items()}
    about = {"jobs": jobs, "rounds": rounds, "workers": 1, "batch": lease.BATCH}
    return [
        {"bench": "jobs", "metric": "jobs_per_s", "value": round(jobs / wall["house"]), "unit": "jobs/s",
         "floor": round(jobs / wall["floor"]), "ratio": round(wall["house"] / wall["floor"], 2), **about},
        {"bench": "jobs", "metric": "cpu_ms_per_job", "value": round(cpu["house"], 3), "unit": "ms",
         "floor": round(cpu["floor"], 3), "ratio": round(cpu["house"] / cpu["floor"], 2), **about},
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with place() as where:
        for line in bench(where, given.jobs, given.rounds):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
