"""The company's fourteen months: a simulation in a process of its own, behind a demo that is open already.

It keeps how far it is in a small file, for the terminal and for the page. Stopped with its demo, it goes on at the
next start; whole, it is never made again.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

import httpx2

from chom_core import config
from chom_core.app import start
from chom_core.billing.service import books
from chom_core.database import clock
from chom_core.demo import asks
from chom_core.demo.company import company
from chom_core.demo.place import Place
from chom_core.demo.say import say
from chom_core.demo.shops import open_shops
from chom_core.embedded import Process
from chom_core.simulation.run import Simulation
from chom_core.values.errors import ChomError, Unavailable
from chom_core.work import wake

MONTHS, ORGANISATIONS, SEED = 14, 90, 14
FILE = "history.json"
#: Between two notes of how far it is, in seconds.
EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Told:
    """How far it is. `until`: the day the months end, ISO 8601. `left`: seconds, estimated from what is done."""

    until: str
    done: int = 0
    of: int = MONTHS * ORGANISATIONS
    left: int = 0
    state: Literal["waiting", "running", "stopped", "done", "failed"] = "waiting"
    fault: str = ""


def told(place: Place) -> Told:
    """What the file says; before the first start, that it waits and ends today."""
    text = place.read(FILE)
    return Told(**json.loads(text)) if text else Told(clock.machine().date().isoformat())


def tell(place: Place, now: Told) -> None:
    """Keep it for whoever asks."""
    place.write(FILE, json.dumps(asdict(now)))


class Background:
    """The process as its parent sees it: begun where months are missing, looked at now and then."""

    def __init__(self, place: Place, environment: dict[str, str]) -> None:
        self.place = place
        command = [sys.executable, "-m", "chom_core.demo.history"]
        self.process = Process(
            "history", command, log=place.logs / "history.log", env=environment, cwd=place.folder
        )
        self._tenth = -1
        self._over = told(place).state == "done"

    def start(self) -> None:
        """Begin, or go on; nothing where it is whole."""
        if not self._over:
            say(f"history: {MONTHS} months of {ORGANISATIONS} organisations are played in the background")
            self.process.start()

    def look(self) -> None:
        """Say what is new on the terminal: each tenth, and the end."""
        if self._over:
            return
        now, alive = told(self.place), self.process.alive()
        if alive and now.state == "running" and now.done * 10 // now.of > self._tenth:
            self._tenth = now.done * 10 // now.of
            say(f"history: {100 * now.done // now.of} %, about {now.left // 60 + 1} min left")
        if not alive:
            self._over = True
            words = {"done": "history: all of it is there", "failed": f"history: it ended early: {now.fault}"}
            say(words.get(now.state, f"history: it ended; look into {self.process.log}"))


def main() -> int:
    """In the process: play what is missing. The exit code is 0 unless it could not go on."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    os.nice(10)  # people who look around come first
    settings = config.from_environment()
    start(settings, "all")
    wake.configure(None)  # its jobs are run here, by the mover of each clock
    place = Place(settings.data_folder)
    now = told(place)
    until = datetime.fromisoformat(now.until).replace(tzinfo=UTC)
    begun = shown = time.monotonic()

    def progress(done: int, of: int) -> None:
        nonlocal now, shown
        passed = time.monotonic() - begun
        if time.monotonic() - shown > EVERY or done == of:
            shown = time.monotonic()
            now = replace(now, done=done, of=of, left=int(passed / done * (of - done)), state="running")
            tell(place, now)

    try:
        asks.ask(company(), partial(_send, settings.public_url))
        for _shop in open_shops(company()):
            if stop.is_set():
                break
        begun = shown = time.monotonic()  # what is left is reckoned from the months alone
        run = Simulation(SEED, MONTHS, ORGANISATIONS, until, release=True, stopping=stop.is_set)
        run.run(progress)
        if not stop.is_set():
            books.check()
    except ChomError as error:
        tell(place, replace(now, state="failed", fault=f"{error.detail} {error.fix}".strip()))
        return 1
    tell(place, replace(now, state="stopped" if stop.is_set() else "done", left=0))
    return 0


def _send(url: str, path: str, body: Mapping[str, Any], headers: dict[str, str]) -> int:
    """To the demo's own web, which answers by now."""
    try:
        return httpx2.post(f"{url}{path}", json=body, headers=headers, timeout=30).status_code
    except httpx2.HTTPError as error:
        raise Unavailable(f"The demo's web does not answer: {error}", fix="Start the demo again.") from error


if __name__ == "__main__":
    sys.exit(main())
