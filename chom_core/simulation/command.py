"""`chom simulate`."""

from __future__ import annotations

import json
import os
from datetime import datetime

import click

from chom_core import config


@click.command()
@click.option("--months", default=24, show_default=True)
@click.option(
    "--tenants", default=200, show_default=True, help="Organisations; a third are resellers' customers."
)
@click.option("--seed", default=1, show_default=True, help="The same seed is the same company, to the cent.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Where the last month ends; default: this month's first day.",
)
@click.option("--release", is_flag=True, help="Let the organisations' clocks go to real time at the end.")
@click.option("--processes", default=os.cpu_count() or 1, show_default="one for each core")
def simulate(
    months: int, tenants: int, seed: int, until: datetime | None, release: bool, processes: int
) -> None:
    """A company over many months, by the real verbs, on a database without real people.

    Ctrl-C stops it, and the same command goes on. Services are not built. One JSON line at the end.
    """
    from chom_core.app import start
    from chom_core.simulation.run import simulate as run

    start(config.from_environment(), "all")
    click.echo(json.dumps(run(seed, months, tenants, until, release=release, processes=processes)))
