"""The `chom` command."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from cryptography.fernet import Fernet
from sqlalchemy.orm import DeclarativeBase

from chom_core import config
from chom_core.ledger_cli import ledger
from chom_core.simulation.command import simulate
from chom_core.values.errors import ChomError


class Friendly(click.Group):
    """Errors of CHOM's own are two lines: what is wrong, what to do."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except ChomError as error:
            click.echo(f"chom: {error.detail}", err=True)
            if error.fix:
                click.echo(f"      {error.fix}", err=True)
            sys.exit(1)


@click.group(cls=Friendly)
def main() -> None:
    """CHOM, a hosting company in a box."""


def owner_url() -> str:
    """The database as chom_owner: only migrating and installing know it."""
    url = os.environ.get("CHOM_OWNER_DATABASE_URL", "")
    if not url:
        raise config.BadSettings(
            "CHOM_OWNER_DATABASE_URL is not set.",
            fix="Set it to the database's address as chom_owner, for this command.",
        )
    return url


@main.group()
def keys() -> None:
    """Keys that encrypt stored secrets."""


@keys.command("new")
def keys_new() -> None:
    """Print a new key for CHOM_SECRET_KEYS. Put it first; drop the old one after `chom keys rotate`."""
    click.echo(Fernet.generate_key().decode())


@keys.command("rotate")
def keys_rotate() -> None:
    """Encrypt every stored secret anew with the first key."""
    from chom_core.app import start
    from chom_core.database import Model, encrypted, everyone
    from chom_core.plugin_host import lifecycle, registry

    start(config.from_environment(), "all")
    lines = [lifecycle.history(loaded) for loaded in registry.loaded.values()]
    bases: list[type[DeclarativeBase]] = [Model, *(line.base for line in lines if line is not None)]
    with everyone("key rotation") as session:
        count = sum(encrypted.rotate(session, base) for base in bases)
    click.echo(f"{count} values encrypted anew")


@main.command()
@click.option("--install-all", is_flag=True, help="Install every plugin that is here.")
def migrate(install_all: bool) -> None:
    """Bring the core and every installed plugin to the newest schema."""
    from chom_core.setup import migrate as run

    for line in run(config.from_environment(), owner_url(), install_all=install_all):
        click.echo(line)


@main.group()
def plugin() -> None:
    """Install and remove plugins on this installation."""


@plugin.command("install")
@click.argument("name")
def plugin_install(name: str) -> None:
    """Make the plugin's schema and rows. Running it again upgrades it."""
    from chom_core.setup import install

    click.echo(install(config.from_environment(), owner_url(), name))


@plugin.command("uninstall")
@click.argument("name")
@click.option(
    "--export", "target", type=click.Path(path_type=Path), required=True, help="Where its data goes first."
)
def plugin_uninstall(name: str, target: Path) -> None:
    """Export the plugin's data to a file, then drop its schema."""
    from chom_core.app import start
    from chom_core.plugin_host import lifecycle

    start(config.from_environment(), "all")
    kept = lifecycle.uninstall(name, owner_url())
    target.write_text(json.dumps({str(tenant): data for tenant, data in kept.items()}, default=str, indent=1))
    click.echo(f"{name} is gone; the data of {len(kept)} organisations is in {target}")


@main.command()
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=8000)
@click.option("--workers", default=2)
def web(host: str, port: int, workers: int) -> None:
    """Serve the web app (granian, WSGI)."""
    from granian.constants import Interfaces
    from granian.server import Server

    from chom_core import logs

    logs.configure(config.from_environment())
    with TemporaryDirectory(prefix="chom-metrics-") as counters:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counters  # so that /metrics adds the workers up
        Server(
            "chom_core.wsgi:app",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=2,
            log_dictconfig={"loggers": {"_granian": {"handlers": [], "propagate": True}}},
        ).serve()


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def doctor(as_json: bool) -> None:
    """Look at everything this installation stands on, and say what to do. Exits 1 where something fails."""
    import logging

    from msgspec.structs import asdict

    from chom_core.app import start
    from chom_core.console import health
    from chom_core.console.doctor import examine
    from chom_core.schema import core_history

    settings = config.from_environment()
    config.use(settings)
    health.use(core_history)
    logging.disable(logging.ERROR)  # what is wrong is in the report
    found = []
    for one in examine(settings, lambda: start(settings, "all")):
        found.append(one)
        if not as_json:
            click.echo(f"{one.level:5} {one.name:20} {one.said}")
            if one.fix:
                click.echo(f"{'':26} {one.fix}")
    worst = next((level for level in ("fail", "warn") if any(f.level == level for f in found)), "ok")
    if as_json:
        click.echo(json.dumps({"status": worst, "findings": [asdict(one) for one in found]}, indent=1))
    if worst == "fail":
        sys.exit(1)


@main.command()
@click.argument("pools", nargs=-1)
def worker(pools: tuple[str, ...]) -> None:
    """Run jobs of POOLS (default, mail, ssh, ml; all of them where none is named)."""
    from chom_core.app import start
    from chom_core.work import run_worker
    from chom_core.work.handlers import POOLS

    start(config.from_environment(), "worker")
    run_worker(list(pools or POOLS))


@main.command()
def scheduler() -> None:
    """Run what is due, bring back what was lost, forget what is old."""
    import signal
    import threading

    from chom_core.app import start
    from chom_core.work import run_scheduler

    start(config.from_environment(), "worker")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_scheduler(stop)


main.add_command(ledger)
main.add_command(simulate)
