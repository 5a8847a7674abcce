"""What the tests of the work floor look at and set up with."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg

from chom_core.database import session, transaction
from chom_core.work import enqueue
from tests.harness.crash_place import Place

#: The superuser's connection, put here by conftest.
root: list[Any] = []


def sql(statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run SQL as superuser and return its rows."""
    cursor = root[0].execute(statement, values or None)
    return list(cursor.fetchall()) if cursor.description else []


def ledger(note: str, job_id: UUID | None = None) -> None:
    """An SQL effect in the current transaction."""
    session().connection().exec_driver_sql(
        "insert into core.ledger (job_id, note) values (%s, %s)", (job_id, note)
    )


def notes() -> list[str]:
    return [note for (note,) in sql("select note from core.ledger order by id")]


def row(job_id: object) -> dict[str, Any]:
    """The job's row."""
    names = (
        "state, attempts, token, last_error, due_at, pool, plugin, business_due_at, max_attempts, lease_until"
    )
    return dict(
        zip(names.split(", "), sql(f"select {names} from core.job where id = %s", job_id)[0], strict=True)
    )


def put(kind: str, args: dict[str, Any] | None = None, **how: Any) -> UUID:
    """Enqueue in a transaction of its own."""
    with transaction(how.pop("unit_tenant", None)):
        made = enqueue(kind, args, **how)
    assert made is not None
    return made


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Poll until `condition()` is true; its value."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "the condition never came true"
        time.sleep(0.02)
    return found


def connect(where: Place) -> psycopg.Connection[Any]:
    """A superuser's connection."""
    return psycopg.connect(host=str(where.postgres.sockets), user="postgres", dbname="work", autocommit=True)
