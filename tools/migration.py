"""`./dev migration "what changes" [--plugin NAME]`: the next migration, from the models and a scratch Postgres.

The scratch database is brought to the newest migration in the code; what the models say beyond it is written down.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from chom_core.database import roles
from chom_core.database.migrations import History
from chom_core.embedded import Postgres
from chom_core.schema import core_history

DATABASE = "chom_scratch"


def plugin_history(name: str) -> History:
    """A plugin's line: the base of its models, and its folder of migrations."""
    models = import_module(f"chom_{name}.models")
    return History(name, models.Base, Path(str(models.__file__)).parent / "migrations")


def main() -> None:
    """Write it and say where it lies."""
    parser = argparse.ArgumentParser(prog="./dev migration", description=__doc__)
    parser.add_argument("message", help="what changes, in a few words")
    parser.add_argument("--plugin", help="the plugin's name; without it the core's")
    given = parser.parse_args()
    history = plugin_history(given.plugin) if given.plugin else core_history()
    with Postgres() as server:
        roles.bootstrap(server.url(), DATABASE)
        owner = server.url("chom_owner", DATABASE)
        head = history.head()
        if head:
            history.upgrade(owner, head)
        path = history.write(owner, given.message)
    print(f"Read {path.relative_to(Path.cwd())} before you commit it.")


if __name__ == "__main__":
    main()
