"""The examination: every check in order; what fails takes no other check with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy.exc import SQLAlchemyError

from chom_core import logs
from chom_core.config import Settings
from chom_core.console import health
from chom_core.console.doctor import machine, store
from chom_core.console.doctor.finding import Finding, fail

Check = Callable[[], Iterator[Finding]]


def examine(settings: Settings, prepare: Callable[[], None]) -> Iterator[Finding]:
    """Look at everything. `prepare` binds the process to its database and loads the plugins."""
    yield from machine.python_version()
    yield from machine.postgres_tools()
    yield from machine.zones()
    yield from machine.address(settings)
    keys = list(machine.keys(settings))
    yield from keys
    yield from _guarded("Redis", lambda: machine.redis_server(settings))
    yield from _guarded("Mail", lambda: machine.mail(settings))
    if any(found.level == "fail" for found in keys):
        return
    yield from _database(prepare)


def _database(prepare: Callable[[], None]) -> Iterator[Finding]:
    try:
        with health.connect() as connection:
            found = [*store.server(connection), *store.role(connection)]
            schema = list(store.core_schema(connection))
    except SQLAlchemyError as error:
        words = logs.plain(str(getattr(error, "orig", error)).strip().splitlines()[0])
        yield fail("Postgres", f"not reachable: {words}", "Start it, or mend CHOM_DATABASE_URL.")
        return
    yield from found
    yield from schema
    if any(one.level == "fail" for one in schema):
        return
    try:
        prepare()
    except Exception as error:
        yield fail(
            "Start",
            logs.plain(f"{type(error).__name__}: {error}"),
            "Mend this first; the rest was not looked at.",
        )
        return
    for name, check in (
        ("Plugins", store.plugins),
        ("Stored secrets", store.secrets),
        ("Ledger", store.books),
        ("Danglers", store.danglers),
        ("Drift", store.drift),
        ("Work", store.work),
    ):
        yield from _guarded(name, check)


def _guarded(name: str, check: Check) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as error:
        words = logs.plain(f"{type(error).__name__}: {error}")[:300]
        yield fail(name, f"could not be looked at: {words}", "Mend this, and run `chom doctor` again.")
