"""The demo's house: servers, database, company; then web, worker and scheduler as children that are kept alive.

Children and servers die with this process, even where it is killed (see embedded.process): start them from the main
thread.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2

from chom_core import config
from chom_core.demo import install, people, sites
from chom_core.demo.company import company
from chom_core.demo.history import Background
from chom_core.demo.place import Place, free_port
from chom_core.demo.post import PostBox
from chom_core.demo.say import say
from chom_core.embedded import Postgres, Process, Valkey, stop_all
from chom_core.values.errors import Unavailable

WORKER_PID = "worker.pid"
#: The worker's processes: one child for each pool.
POOLS = ("default", "mail", "ssh")


@dataclass
class Child:
    """A supervised process. `pause` seconds before the next start; grows while it keeps crashing."""

    process: Process
    started: float = 0.0
    pause: float = 0.2

    def start(self) -> None:
        self.process.start()
        self.started = time.monotonic()


class House:
    """One running demo. `with House(place, port) as house: house.keep(stop)`."""

    def __init__(self, place: Place, port: int = 0, *, history: bool = False) -> None:
        """`history`: with what lies behind the people, and the company's fourteen months in the background."""
        self.place = place
        self.company = company() if history else company().brief()
        self.history: Background | None = None
        self._wants_history = history
        self.port = free_port(port)
        self.url = f"http://localhost:{self.port}"
        self.password = ""
        self.children: list[Child] = []
        self._stack = ExitStack()

    def __enter__(self) -> House:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _open(self) -> None:
        secrets = self.place.secrets()
        self.password = secrets["password"]
        with _timed("a mail catcher, Postgres and a Redis-protocol server"):
            post = self._stack.enter_context(PostBox(self.place.mail))
            postgres = self._stack.enter_context(Postgres(self.place.postgres))
            valkey = self._stack.enter_context(Valkey())
        environment = {
            "CHOM_DATABASE_URL": postgres.url("chom_app", install.DATABASE),
            "CHOM_REDIS_URL": valkey.url,
            "CHOM_SECRET_KEYS": secrets["key"],
            "CHOM_PUBLIC_URL": self.url,
            "CHOM_SMTP_URL": post.url,
            "CHOM_MAIL_FROM": f"{company().name} <no-reply@lanternworks.example>",
            "CHOM_DATA": str(self.place.folder),
            "CHOM_DEMO": "1",
            "CHOM_LOG": "human",
        }
        settings = config.from_environment(environment)
        with _timed("the database and every plugin", each=install.install(settings, postgres)):
            pass
        with _timed(
            "the company",
            each=people.settle_in(self.company, self.password, str(self.place.sites)),
            show=True,
        ):
            pass
        self._stack.callback(self._stop_sites)
        self._stack.callback(self._stop_children)
        with _timed("web, worker and scheduler"):
            self._start_children(environment)
        back = sites.bring_back()
        if back:
            say(f"{back} sites of the last time are being started again")
        if self._wants_history:
            self.history = Background(self.place, environment)
            self._stack.callback(self.history.process.stop)
            self.history.start()
        self.place.write("address", self.url)
        self._stack.callback(self.place.forget, "address")

    def _start_children(self, environment: dict[str, str]) -> None:
        for name, arguments in (
            ("web", ["web", "--port", str(self.port), "--workers", "1"]),
            ("worker", ["worker", *POOLS]),
            ("scheduler", ["scheduler"]),
        ):
            command = [sys.executable, "-c", "from chom_core.cli import main; main()", *arguments]
            log = self.place.logs / f"{name}.log"
            log.write_bytes(log.read_bytes()[-200_000:] if log.exists() else b"")
            child = Child(Process(name, command, log=log, env=environment, cwd=self.place.folder))
            child.start()
            self.children.append(child)
        self._note_worker()
        self.children[0].process.wait_until(self._answers, seconds=60)

    def _answers(self) -> bool:
        try:
            found = httpx2.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5)
        except httpx2.HTTPError:
            return False
        if found.status_code == 503:
            raise Unavailable(
                f"The web process is not fit to serve: {found.text}", fix=f"Look into {self.place.logs}."
            )
        return found.status_code == 200

    def keep(self, stop: threading.Event) -> None:
        """Until `stop` is set: start again whatever ended. Call it in the main thread."""
        while not stop.wait(0.2):
            for child in self.children:
                if not child.process.alive() and time.monotonic() - child.started > child.pause:
                    lived = time.monotonic() - child.started
                    child.pause = 0.2 if lived > 10 else min(child.pause * 2, 5)
                    say(
                        f"the {child.process.name} process ended; starting it again (log: {child.process.log})"
                    )
                    child.start()
                    self._note_worker()
            if self.history is not None:
                self.history.look()

    def _note_worker(self) -> None:
        worker = next((c.process for c in self.children if c.process.name == "worker"), None)
        if worker is not None:
            self.place.write(WORKER_PID, str(worker.pid))

    def _stop_children(self) -> None:
        self.place.forget(WORKER_PID)
        stop_all([child.process for child in self.children], seconds=20)

    def _stop_sites(self) -> None:
        for fault in sites.stop_sites():
            say(f"a site did not stop: {fault}")

    def tails(self, lines: int = 12) -> Iterator[tuple[Path, str]]:
        """The end of each child's log."""
        for child in self.children:
            yield child.process.log, child.process.tail(lines)


@contextlib.contextmanager
def _timed(what: str, each: Iterator[str] | None = None, *, show: bool = False) -> Iterator[None]:
    """Say `what` when it is done, with its seconds; `each` is run through, and its lines are shown where asked."""
    begun = time.monotonic()
    for line in each or ():
        if show:
            say(f"  {line}")
    yield
    say(what, time.monotonic() - begun)
