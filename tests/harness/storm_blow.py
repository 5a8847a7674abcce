"""One run of the storm over one database: processes that post, processes that handle, and what kills them.

Handlers die at a step of their work, so how many die follows from the work and not from how fast the machine is;
posters, and handlers whose step is a rare one, are killed at a random moment. The first handlers die of the first job
they handled: in the smallest storm too somebody dies.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from flask import Flask

from chom_core.database import engine
from chom_core.work import checkpoint, lease, run_all, runner, worker
from tests.harness import storm_post
from tests.harness.crash import Bomb
from tests.harness.storm_post import Delivery, Post

STEPS = (
    "claim:taken", "run:begun", "run:handled", "run:marked", "run:committed", "outside:held", "outside:committed",
    "outside:called", "fail:before",
)  # fmt: skip
POSTERS = HANDLERS = 2
POOLS = ("default", "mail")
#: Seconds without one job less to do, after which what is left shows as unheard: a busy machine is only slow.
PATIENCE = 120
_DUE = """
select count(*) from core.job where state = 'running' or (state = 'ready' and (due_at <= now() or attempts > 0))"""


@dataclass
class Answers:
    """What the posters wrote down, read as it grows: read anew at each look, it takes longer than the storm."""

    log: Path
    found: dict[int, int] = field(default_factory=dict)
    _read: int = 0

    def look(self) -> dict[int, int]:
        """Status by delivery."""
        if self.log.exists():
            with self.log.open("rb") as log:
                log.seek(self._read)
                for line in log:
                    if not line.endswith(b"\n"):
                        break
                    number, _, status = line.partition(b" ")
                    self.found[int(number)] = int(status)
                    self._read += len(line)
        return self.found


@dataclass
class Storm:
    """`steps`: how often its step is reached at most before a handler dies of it."""

    app: Flask
    dice: random.Random
    folder: Path
    steps: int
    calm: bool = False
    plant: Callable[[], None] | None = None
    children: dict[int, tuple[str, float]] = field(default_factory=dict)
    killed: int = 0
    _known: set[str] = field(default_factory=set)

    def blow(self, of: Post, deliveries: list[Delivery]) -> dict[int, int]:
        """Deliver everything, the late ones when all others were heard. Answers by delivery."""
        answers = Answers(self.folder / "answers")
        try:
            for late in (False, True):
                self._deliver(of, [one for one in deliveries if one.late is late], answers)
                self._hear()
        finally:
            self.end()
        return answers.look()

    def _deliver(self, of: Post, deliveries: list[Delivery], answers: Answers) -> None:
        """Posters share them; who takes a dead one's place goes on with what has no answer."""
        parts = [deliveries[n::POSTERS] for n in range(POSTERS)]
        while True:
            self._bury()
            found = answers.look()
            parts = [[one for one in part if one.number not in found] for part in parts]
            if not any(parts):
                return
            for n, part in enumerate(parts):
                if part:
                    self._need(f"post {n}", partial(storm_post.deliver, self.app, of, part, answers.log))
            self._handle()
            time.sleep(0.02)

    def kills(self) -> int:
        log = self.folder / "kills"
        return self.killed + (len(log.read_text().split()) if log.exists() else 0)

    def end(self) -> None:
        """Kill whoever is left."""
        for pid in list(self.children):
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            self.children.pop(pid, None)

    def _hear(self) -> None:
        """Until everything due is run: first by those who may die of it, and then by one who does not."""
        least, until = self._due(), time.monotonic() + PATIENCE
        while (left := self._due()) and time.monotonic() < until:
            if left < least:
                least, until = left, time.monotonic() + PATIENCE
            self._bury()
            self._handle()
            time.sleep(0.05)
        self.end()
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            lease.reclaim()
            if not run_all(reraise=False) and not self._due():
                return
            time.sleep(0.05)

    @staticmethod
    def _due() -> int:
        with lease.autocommit() as here:
            return int(here.exec_driver_sql(_DUE).scalar_one())

    def _bury(self) -> None:
        """Forget the dead, and kill those whose time is up."""
        for pid, (_role, ends_at) in list(self.children.items()):
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    del self.children[pid]
                elif time.monotonic() > ends_at:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    del self.children[pid]
                    self.killed += 1

    def _handle(self) -> None:
        for n in range(HANDLERS):
            self._need(f"handle {n}", _drain)

    def _need(self, role: str, live: Callable[[], None]) -> None:
        """Somebody in this role, unless there is one."""
        if any(role == known for known, _ends in self.children.values()):
            return
        lives = 1e9 if self.calm else self.dice.uniform(1.0, 20.0)
        seed, first = self.dice.random(), role not in self._known
        self._known.add(role)
        pid = os.fork()
        if pid == 0:
            self._be(live, seed, first)
        self.children[pid] = (role, time.monotonic() + lives)

    def _be(self, live: Callable[[], None], seed: float, first: bool) -> None:
        """A child's life; `first`: nobody had its role before."""
        try:
            worker.die_with(os.getppid())
            random.seed(seed)
            engine.forget_connections()
            if self.plant is not None:
                self.plant()
            if not self.calm:
                step, nth = random.choice(STEPS), random.randint(2, self.steps)
                checkpoint.reach = Bomb(
                    *(("run:handled", 1) if first else (step, nth)), self.folder / "kills"
                )
            if not os.environ.get("CHOM_STORM_LOUD"):
                sink = os.open(os.devnull, os.O_WRONLY)
                os.dup2(sink, 1)
                os.dup2(sink, 2)
            live()
        finally:
            os._exit(0)


def _drain() -> None:
    """A worker's life, as `chom worker` leads it."""
    while True:
        lease.reclaim()
        if not sum(runner.drain(pool, 2) for pool in POOLS):
            time.sleep(0.02)
