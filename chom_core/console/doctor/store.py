"""The database: server, role, migrations, books, rows without an organisation, drift, waiting work, plugins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection, func, select, text

from chom_core.billing import ledger
from chom_core.console import health
from chom_core.console.doctor.finding import Finding, fail, ok, warn
from chom_core.console.doctor.machine import OLDEST_POSTGRES, postgres_fault
from chom_core.console.service import extensions
from chom_core.console.service.work import BROKEN
from chom_core.database import Model, clock, encrypted, everyone, roles, session, transaction
from chom_core.database.encrypted import Encrypted
from chom_core.plugin_host import lifecycle, registry
from chom_core.provisioning.models import Drift
from chom_core.work import JobRow

#: Seconds by which the machine's and the database's clocks may differ, and from which leases suffer.
APART, FAR_APART = 2, 15
#: How long due work may wait before somebody asks where the workers are.
LATE = timedelta(minutes=5)


def server(connection: Connection) -> Iterator[Finding]:
    number = int(connection.execute(text("show server_version_num")).scalar_one())
    said, fault = f"{number // 10_000}.{number % 10_000}", postgres_fault(number)
    if number // 10_000 < OLDEST_POSTGRES:
        yield fail("Postgres", fault, f"CHOM needs {OLDEST_POSTGRES} or later.")
    elif fault:
        yield warn("Postgres", fault, "Update the server to its line's newest release.")
    else:
        yield ok("Postgres", said)
    gap = abs(
        (clock.machine() - connection.execute(text("select clock_timestamp()")).scalar_one()).total_seconds()
    )
    said = f"machine and database are {gap:.1f} s apart"
    if gap > FAR_APART:
        yield fail("Clocks", said, "Run NTP on both: leases and log-in times depend on it.")
    elif gap > APART:
        yield warn("Clocks", said, "Run NTP on both.")
    else:
        yield ok("Clocks", said)


def role(connection: Connection) -> Iterator[Finding]:
    found = roles.faults(connection)
    for fault in found:
        yield fail("Database role", fault, "Connect as chom_app: README, «Run it for real».")
    if not found:
        yield ok(
            "Database role", f"{connection.execute(text('select current_user')).scalar_one()} is fenced in"
        )


def core_schema(connection: Connection) -> Iterator[Finding]:
    fault = health.schema_fault(connection)
    if fault:
        yield fail("Migrations", f"the core is {fault}", "Run `chom migrate`.")
    else:
        yield ok("Migrations", f"the core is at {health.head() or 'its tables, without a history'}")


def plugins() -> Iterator[Finding]:
    """Each plugin that runs is at its code's head; each that does not says why."""
    installed = lifecycle.installed_heads()
    for name, loaded in registry.loaded.items():
        why = lifecycle.unfit(installed, loaded)
        if why:
            yield warn(f"Plugin {name}", why, "Run the command named; then start web and workers anew.")
        else:
            yield ok(f"Plugin {name}", f"{loaded.version}, at {installed[name] or 'no tables of its own'}")
    with transaction():
        skipped, available = extensions.absent()
        tripped = extensions.tripped()
    for absent in skipped:
        yield warn(f"Plugin {absent.name}", f"does not run: {absent.why}", "See /staff/plugins.")
    for absent in available:
        yield ok(f"Plugin {absent.name}", "is here and not installed")
    for one in tripped:
        yield warn(
            f"Plugin {one.plugin}", f"tripped for {one.organisation}: {one.error}", "See /staff/plugins."
        )


def secrets() -> Iterator[Finding]:
    """Stored secrets open with the keys that are set."""
    count = 0
    try:
        with everyone("doctor: do stored secrets open") as here:
            for table in Model.metadata.sorted_tables:
                for column in [c for c in table.columns if isinstance(c.type, Encrypted)]:
                    query = select(column).where(column.is_not(None)).order_by(table.c.id.desc()).limit(20)
                    count += len(here.execute(query).all())
    except encrypted.NoKey as error:
        yield fail("Stored secrets", error.detail, error.fix or "Put the missing key behind the others.")
        return
    yield ok("Stored secrets", f"{count} looked at, all open" if count else "none stored yet")


def books() -> Iterator[Finding]:
    with everyone("doctor: the ledger") as here:
        found = ledger.check(here)
    for problem in found[:10]:
        yield fail(
            "Ledger",
            problem,
            "Stop invoicing, look at /staff/ledger, and ask for help: books never mend alone.",
        )
    if not found:
        yield ok("Ledger", "every transaction sums to zero, every invoice agrees")


def danglers() -> Iterator[Finding]:
    found = lifecycle.danglers()
    for table, count in found.items():
        words = f"{table} has {count} rows of organisations that are gone"
        yield warn("Danglers", words, "Its plugin did not erase them; `plugin_erase_tenant` is its hook.")
    if not found:
        yield ok("Danglers", "no rows of organisations that are gone")


def drift() -> Iterator[Finding]:
    with transaction() as here:
        count = here.scalar(select(func.count()).select_from(Drift).where(Drift.resolved_at.is_(None))) or 0
    if count:
        yield warn("Drift", f"{count} differences between nodes and record", "See /staff/drift.")
    else:
        yield ok("Drift", "nodes agree with the record")


def work() -> Iterator[Finding]:
    with transaction():
        broken = (
            session().scalar(select(func.count()).select_from(JobRow).where(JobRow.state.in_(BROKEN))) or 0
        )
        oldest = session().scalar(select(func.min(JobRow.due_at)).where(JobRow.state == "ready"))
    if broken:
        yield warn("Work", f"{broken} jobs failed", "See /staff/work.")
    if oldest is not None and clock.machine() - oldest > LATE:
        minutes = int((clock.machine() - oldest).total_seconds() // 60)
        yield fail(
            "Work", f"due work has waited for {minutes} minutes", "Start `chom worker` and `chom scheduler`."
        )
    elif not broken:
        yield ok("Work", "nothing failed, nothing is late")
