"""`./dev bench usage`: events in over HTTP, and the month of all organisations out of ten million of them.

Ingest: one granian worker with everything a request has (key, organisation, fence, validation, sums by day), against
psycopg alone inserting the same rows with the same promise (an id counts once), one commit a batch. Both run
interleaved on one server; the best round of each counts, `ratio` is house / floor. After the first round, which warms
up, both sides get the statistics that autovacuum makes within a minute: a table that was empty a second ago has none.

Month close: what 200 organisations used in a month, from the sums by day as staff read them, against the same question
asked of the raw events; the best of a few turns each.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, create_engine, select, text
from sqlalchemy.orm import Session

from bench.measure import Server
from bench.world import Seeded, prepare
from chom_core.billing.models import Subscription
from chom_core.billing.service.usage import totals
from chom_core.database import Tenant, transaction
from chom_core.embedded.postgres import Postgres
from chom_core.embedded.valkey import Valkey
from chom_core.values import uuid7

BATCH, CLIENTS, ROUNDS = 100, 4, 5
ORGANISATIONS, METERS, DAYS = 200, 6, 30
FIRST = date(2026, 10, 1)
NONE = UUID(int=0)
_FLOOR = """insert into floor (tenant, idem, meter, subject, at, value)
select %s, * from unnest(%s::text[], %s::text[], %s::uuid[], %s::timestamptz[], %s::numeric[])
on conflict (tenant, idem) do nothing"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=1.2, help="of one round of one side")
    given = parser.parse_args()
    with ExitStack() as stack:
        postgres, valkey = stack.enter_context(Postgres()), stack.enter_context(Valkey())
        seeded = prepare(postgres, valkey, "bench_usage", install=())
        tenant = _subscribed()
        server = stack.enter_context(Server("chom_core.wsgi:app", _port(), seeded.env, threads=CLIENTS))
        floor = stack.enter_context(psycopg.connect(_plain(postgres.url("postgres", "bench_floor"))))
        databases = [
            stack.enter_context(psycopg.connect(_plain(postgres.url("postgres", name)), autocommit=True))
            for name in ("bench_usage", "bench_floor")
        ]

        def analyse() -> None:
            for database in databases:
                database.execute("analyze")

        _ingest(server, floor, seeded, tenant, given.seconds, analyse)
        _month_close(postgres, given.events)


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _subscribed() -> UUID:
    """The seeded organisation; its plan began long enough ago for all events to count."""
    with transaction() as here:
        tenant = here.scalars(select(Tenant.id).where(Tenant.slug == "bench")).one()
    with transaction(tenant) as here:
        here.scalars(select(Subscription)).one().started_at = datetime.now(UTC) - timedelta(days=60)
    return tenant


# -- ingest ----------------------------------------------------------------------------------------------------------


def _ingest(
    server: Server,
    floor: psycopg.Connection[Any],
    seeded: Seeded,
    tenant: UUID,
    seconds: float,
    analyse: Callable[[], None],
) -> None:
    floor.execute(
        "create table floor (tenant uuid, idem text, meter text, subject uuid, at timestamptz, value numeric,"
        " unique (tenant, idem))"
    )
    floor.commit()
    headers = {"Authorization": f"Bearer {seeded.key}", "Content-Type": "application/json"}
    sides: dict[str, Callable[[int], float]] = {
        "house": lambda size: _post(server, headers, size, seconds),
        "floor": lambda size: _insert(floor, tenant, size, seconds),
    }
    for size in (BATCH, 1):
        best = {"house": 0.0, "floor": 0.0}
        for turn in range(ROUNDS + 1):
            for name, side in sides.items():
                rate = side(size)
                if turn:
                    best[name] = max(best[name], rate)
            if not turn:
                analyse()
        _line(
            "events_per_s", best["house"], "events/s", best["floor"], batch=size, clients=CLIENTS, workers=1
        )


def _events(size: int) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    return [
        {
            "id": uuid7().hex,
            "meter": "traffic_gb",
            "value": "0.25",
            "at": (now - timedelta(hours=i % 48)).isoformat(),
        }
        for i in range(size)
    ]


def _bodies(size: int) -> Iterator[bytes]:
    """Made before the clock runs."""
    while True:
        yield json.dumps({"events": _events(size)} if size > 1 else _events(1)[0]).encode()


def _post(server: Server, headers: dict[str, str], size: int, seconds: float) -> float:
    """Events per second that the server has answered for, by a few senders at once."""
    most = 400 if size > 1 else 4000
    made = [
        [body for body, _ in zip(_bodies(size), range(most // CLIENTS), strict=False)] for _ in range(CLIENTS)
    ]
    path = "/api/v1/billing/usage/events" + ("/batch" if size > 1 else "")

    def send(bodies: list[bytes]) -> int:
        line: http.client.HTTPConnection = server.connection()
        done, until = 0, start + seconds
        for body in bodies:
            line.request("POST", path, body, headers)
            answer = line.getresponse()
            content = json.loads(answer.read())
            if answer.status != 201 or content["accepted"] != size:
                raise RuntimeError(f"{answer.status} {content}")
            done += size
            if time.perf_counter() > until:
                break
        return done

    start = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        total = sum(pool.map(send, made))
    return total / (time.perf_counter() - start)


def _insert(floor: psycopg.Connection[Any], tenant: UUID, size: int, seconds: float) -> float:
    made = [_columns(size, tenant) for _ in range(800 if size > 1 else 4000)]
    start = time.perf_counter()
    done = 0
    for values in made:
        floor.execute(_FLOOR, values)
        floor.commit()
        done += size
        if time.perf_counter() > start + seconds:
            break
    return done / (time.perf_counter() - start)


def _columns(size: int, tenant: UUID) -> tuple[Any, ...]:
    events = _events(size)
    return (
        tenant, [one["id"] for one in events], [one["meter"] for one in events], [NONE] * size,
        [datetime.fromisoformat(one["at"]) for one in events], [Decimal(one["value"]) for one in events],
    )  # fmt: skip


# -- the month of everybody ------------------------------------------------------------------------------------------


def _month_close(postgres: Postgres, count: int) -> None:
    engine = create_engine(postgres.url("postgres", "bench_usage"))
    with engine.begin() as connection:
        _load(connection, count)
    last = FIRST + timedelta(days=DAYS)
    with Session(engine) as here:
        asked = {"house": lambda: totals.sheet(here, FIRST, last), "raw": lambda: _raw(here, last)}
        answers: dict[str, list[Any]] = {}
        best: dict[str, float] = {}
        for _ in range(3):
            for name, ask in asked.items():
                start = time.perf_counter()
                answers[name] = ask()
                best[name] = min(best.get(name, 1e9), time.perf_counter() - start)
    same = sorted((one.tenant_id, one.meter, one.total, one.events) for one in answers["house"])
    if same != sorted((row.tenant_id, row.meter, row.total, row.events) for row in answers["raw"]):
        raise RuntimeError("the sums by day and the raw events differ")
    if sum(one[3] for one in same) != count:
        raise RuntimeError("events are missing")
    engine.dispose()
    _line(
        "month_close_s",
        best["house"],
        "s",
        best["raw"],
        events=count,
        organisations=ORGANISATIONS,
        meters=METERS,
    )


_RAW = """
select tenant_id, meter, sum(value) as total, sum(highest) as highest, sum(events)::bigint as events from (
  select tenant_id, meter, subject, sum(value) as value, max(value) as highest, count(*) as events
  from core.usage_event where at >= :first and at < :last and reason = '' and replaced_by is null
  group by tenant_id, meter, subject
) by_subject group by tenant_id, meter
"""


def _raw(here: Session, last: date) -> list[Any]:
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (FIRST, last))
    return list(here.execute(text(_RAW), {"first": start, "last": end}).all())


_EVENTS = f"""
insert into core.usage_event
  (id, created_at, tenant_id, event_id, meter, subject, at, value, key, properties, reason)
select '{NONE}', now(), who.id, i::text, 'meter_' || i / {ORGANISATIONS} %% {METERS}, '{NONE}',
       timestamptz '{FIRST} 00:00+00' + random() * {DAYS} * interval '1 day', (i %% 1000)::numeric / 100, '', '{{}}', ''
from generate_series(1, $count$) i join who on who.n = i %% {ORGANISATIONS}
"""
_SUMS = """
insert into core.usage_day (id, created_at, tenant_id, meter, subject, day,
  events, total, highest, last_value, last_at, last_id, first_at, area)
select gen_random_uuid(), now(), tenant_id, meter, subject, (at at time zone 'UTC')::date, count(*), sum(value),
       max(value), 0, max(at), '', min(at), 0
from core.usage_event group by tenant_id, meter, subject, (at at time zone 'UTC')::date
"""


def _load(connection: Connection, count: int) -> None:
    """Rows made by the server itself, without the keys that a full scan does not use."""
    start = time.perf_counter()
    for statement in (
        "truncate core.usage_event, core.usage_day, core.usage_key",
        "alter table core.usage_event drop constraint pk_usage_event,"
        " drop constraint uq_usage_event_tenant_id_event_id, drop constraint ck_usage_event_reason",
        "drop index core.ix_usage_event_tenant_id_meter_at, core.ix_usage_event_unmatched",
        "alter table core.usage_event set unlogged",
        f"create temp table who as select n, gen_random_uuid() as id from generate_series(0, {ORGANISATIONS - 1}) n",
        _EVENTS.replace("$count$", str(count)),
        _SUMS,
        "analyze core.usage_event, core.usage_day",
    ):
        connection.exec_driver_sql(statement)
    print(f"{count} events loaded in {time.perf_counter() - start:.0f} s", file=sys.stderr)


def _line(metric: str, value: float, unit: str, floor: float, **parameters: Any) -> None:
    digits = 4 if unit == "s" else 0
    line = {"bench": "usage", "metric": metric, "value": round(value, digits), "unit": unit, **parameters,
            "floor": round(floor, digits), "ratio": round(value / floor, 3)}  # fmt: skip
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
