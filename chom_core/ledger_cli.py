"""`chom ledger`: prove the books of any database, and hand them to an accountant."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime
from typing import IO

import click


@click.group()
def ledger() -> None:
    """The books."""


def _open(database: str) -> None:
    """Bind this process to `database`, else to the installation's own. No plugin is needed to read the books."""
    from chom_core import config
    from chom_core.database import engine

    engine.configure(database or config.from_environment().database_url)


_DATABASE = click.option(
    "--database", default="", help="The address of another database, as chom_app; default: CHOM_DATABASE_URL."
)


@ledger.command("check")
@_DATABASE
def check(database: str) -> None:
    """Prove the books: exit 0 with a line of what was proven, else each fault and exit 1.

    Every transaction sums to zero, balances equal their entries, and invoices, payments, credit, refunds, earnings
    and payouts equal what the ledger says of them. Numbers have no gap.
    """
    from chom_core.billing import ledger as books
    from chom_core.billing.reads import books as reading
    from chom_core.database import everyone

    _open(database)
    with everyone("ledger check") as session:
        faults = books.check(session)
        line = "" if faults else reading.proven(session)
    for fault in faults:
        click.echo(fault, err=True)
    click.echo(line or f"{len(faults)} faults")
    sys.exit(1 if faults else 0)


@ledger.command("export")
@click.argument("target", type=click.File("w", encoding="utf-8"), default="-")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on (UTC).")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Up to this day, without it (UTC).")
@_DATABASE
def export(target: IO[str], since: datetime | None, until: datetime | None, database: str) -> None:
    """Write every entry as CSV to TARGET (default: standard output): one line each, debit and credit columns."""
    from chom_core.billing.reads import books
    from chom_core.database import everyone

    _open(database)
    writer = csv.writer(target)
    writer.writerow(books.COLUMNS)
    with everyone("ledger export") as session:
        for row in books.entries(session, _day(since), _day(until)):
            writer.writerow([_plain(cell) for cell in row])


def _day(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None


def _plain(cell: str) -> str:
    """A text that a spreadsheet takes for a formula stays a text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
