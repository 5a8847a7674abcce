"""`./dev simulate`: `chom simulate` and `chom ledger check` on a database of its own, which is gone afterwards."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from datetime import UTC, datetime

import click
from cryptography.fernet import Fernet

from chom_core import config
from chom_core.billing import ledger
from chom_core.database import clock, everyone
from chom_core.demo import install
from chom_core.embedded import Postgres
from chom_core.simulation.bar import Bar
from chom_core.simulation.run import Simulation
from chom_core.work import wake


def main() -> int:
    """The exit code: 0 where the books are right."""
    parser = argparse.ArgumentParser(prog="./dev simulate", description=__doc__)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", type=datetime.fromisoformat, default=clock.machine().replace(day=1))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--outcomes", action="store_true", help="also how each kind of act went")
    given = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    until = given.until.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    with Postgres() as postgres:
        list(install.install(settings(postgres), postgres))
        wake.configure(None)
        run = Simulation(
            given.seed, given.months, given.tenants, until, processes=given.processes, stopping=stop.is_set
        )
        with Bar("simulating") as bar:
            summary = run.run(bar.show)
        with everyone("ledger check") as session:
            faults = ledger.check(session)
    if given.outcomes:
        for outcome, count in sorted(run.outcomes.items()):
            click.echo(f"{count:6} {outcome}", err=True)
    for fault in faults:
        click.echo(fault, err=True)
    click.echo(json.dumps(summary | {"ledger_faults": len(faults)}))
    return 1 if faults else 0


def settings(postgres: Postgres) -> config.Settings:
    """Those of a database that lives as long as this process. No Redis: jobs run here."""
    return config.from_environment(
        {
            "CHOM_DATABASE_URL": postgres.url("chom_app", install.DATABASE),
            "CHOM_REDIS_URL": "redis://127.0.0.1:1/0",
            "CHOM_SECRET_KEYS": Fernet.generate_key().decode(),
            "CHOM_LOG": "human",
            "CHOM_ARGON2_KIB": "1024",
        }
    )


if __name__ == "__main__":
    sys.exit(main())
