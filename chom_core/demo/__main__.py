"""`python -m chom_core.demo [--check] [--port N] [--fresh] [--brief]`: start the demo, or prove it."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from chom_core.demo.company import company
from chom_core.demo.house import House
from chom_core.demo.place import Place, default_folder
from chom_core.demo.say import complain, plain, say
from chom_core.values.errors import ChomError


def main() -> int:
    """The exit code: 0 where all went well."""
    parser = argparse.ArgumentParser(prog="./dev demo", description="A whole CHOM on this machine.")
    parser.add_argument(
        "--check", action="store_true", help="run the main job over HTTP in a demo of its own, and stop"
    )
    parser.add_argument(
        "--port", type=int, default=0, help="the web address's port (default: a free one near 8000)"
    )
    parser.add_argument("--fresh", action="store_true", help="forget the last demo's data first")
    parser.add_argument(
        "--brief", action="store_true", help="without the months that lie behind; starts sooner"
    )
    parser.add_argument("--data", type=Path, default=None, help="the data folder (default: var/demo)")
    given = parser.parse_args()
    try:
        if given.check:
            from chom_core.demo.check import check

            return check()
        return run(
            Place(given.data.absolute() if given.data else default_folder()),
            given.port,
            given.fresh,
            given.brief,
        )
    except ChomError as error:
        complain(f"demo: {error.detail}")
        if error.fix:
            complain(f"      {error.fix}")
        return 1


def stopper() -> threading.Event:
    """Set by Ctrl-C, by SIGTERM, and when the terminal closes."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop


def run(place: Place, port: int, fresh: bool, brief: bool = False) -> int:
    """Start, print the address and the logins, keep it running until Ctrl-C, stop."""
    plain(f"CHOM's demo: {company().name}, a hosting company. Its data is in {place.folder}")
    place.open(fresh=fresh)
    with House(place, port, history=not brief) as house:
        stop = stopper()
        _greet(house)
        house.keep(stop)
        plain()
        say("stopping: web, worker, scheduler, sites, Postgres …")
    say("stopped. ./dev demo starts it again as it was; --fresh begins anew.")
    return 0


def _greet(house: House) -> None:
    plain(
        f"\n  Open {house.url}/demo  and choose «Enter as …», or log in with the password {house.password}\n"
    )
    for person in company().people:
        plain(f"    {person.email:<30} {person.name:<17} {person.role.value:<8} {person.organisation}")
    plain("\n  Every mail CHOM sends is kept in the mail viewer. Ctrl-C stops everything.\n")


if __name__ == "__main__":
    sys.exit(main())
