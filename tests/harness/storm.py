"""The webhook storm: events shuffled, ten times each, late, forged, their handlers killed. One ledger must come out.

    python -m tests.harness.storm --deliveries 10000 --seeds 5

First planted bugs must be caught (signatures unchecked; an event noted in another transaction than its job). Then an
orderly run, and one for each seed, all from copies of one database. Prints one JSON line; exit code 1 where it fails.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import structlog

from chom_core import config
from chom_core.database import clock, engine
from chom_core.embedded import Postgres
from chom_core.notifications import smtp
from chom_core.plugin_host import gate
from chom_core.work import checkpoint, lease, run_all, runner
from chom_core.work.handlers import KINDS
from chom_sdk.testing.server import Server
from chom_sdk.testing.world import World
from tests.harness import storm_plants, storm_post, storm_story
from tests.harness.crash import Bomb
from tests.harness.storm_post import Delivery, Post
from tests.harness.storm_verdict import Verdict, judge

STEPS = (
    "claim:taken", "run:begun", "run:handled", "run:marked", "run:committed", "outside:held", "outside:committed",
    "outside:called", "fail:before",
)  # fmt: skip
POSTERS = HANDLERS = 2
MANY = 1_000_000
LEASE = 0.6


@dataclass
class Storm:
    """One run over one copy of the database."""

    world: World
    dice: random.Random
    folder: Path
    calm: bool = False
    plant: Callable[[], None] | None = None
    children: dict[int, tuple[str, float]] = field(default_factory=dict)
    spawned: int = 0
    killed: int = 0

    def blow(self, of: Post, deliveries: list[Delivery]) -> dict[int, int]:
        """Deliver everything, the late ones last. Answers by delivery."""
        for late in (False, True):
            wanted = {one.number: one for one in deliveries if one.late is late}
            while left := [one for number, one in wanted.items() if number not in self.answers()]:
                self._keep(of, left)
                time.sleep(0.01)
            self._end()
        self._hear()
        return self.answers()

    def answers(self) -> dict[int, int]:
        log = self.folder / "answers"
        lines = log.read_text().splitlines() if log.exists() else []
        return {int(number): int(status) for number, _, status in (line.partition(" ") for line in lines)}

    def kills(self) -> int:
        log = self.folder / "kills"
        return self.killed + (len(log.read_text().split()) if log.exists() else 0)

    def _keep(self, of: Post, left: list[Delivery]) -> None:
        """Posters and handlers; who is dead is replaced, whose time is up is killed."""
        for pid, (_role, ends_at) in list(self.children.items()):
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    del self.children[pid]
                elif time.monotonic() > ends_at:
                    self._kill(pid)
                    self.killed += 1
        roles = [role for role, _ends in self.children.values()]
        if "post" not in roles:
            for part in filter(None, (left[n::POSTERS] for n in range(POSTERS))):
                self._spawn(
                    "post", partial(storm_post.deliver, self.world.app, of, part, self.folder / "answers")
                )
        for _ in range(HANDLERS - roles.count("handle")):
            self._spawn("handle", self._handle)

    def _spawn(self, role: str, live: Callable[[], None]) -> None:
        self.spawned += 1
        lives = 1e9 if self.calm else self.dice.uniform(1.0, 12.0)
        seed = self.dice.random()
        pid = os.fork()
        if pid == 0:
            self._be(live, seed)
        self.children[pid] = (role, time.monotonic() + lives)

    def _be(self, live: Callable[[], None], seed: float) -> None:
        """A child's life."""
        try:
            random.seed(seed)
            engine.forget_connections()
            if self.plant is not None:
                self.plant()
            if not self.calm:
                checkpoint.reach = Bomb(random.choice(STEPS), random.randint(5, 80), self.folder / "kills")
            if not os.environ.get("CHOM_STORM_LOUD"):
                sink = os.open(os.devnull, os.O_WRONLY)
                os.dup2(sink, 1)
                os.dup2(sink, 2)
            live()
        finally:
            os._exit(0)

    @staticmethod
    def _handle() -> None:
        while True:
            lease.reclaim()
            if not runner.drain("default", 2):
                time.sleep(0.02)

    def _kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.children.pop(pid, None)

    def _end(self) -> None:
        for pid in list(self.children):
            self._kill(pid)

    def _hear(self) -> None:
        """After the storm: what the dead held is taken back, and everything due is run."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            lease.reclaim()
            ran = run_all(reraise=False)
            with lease.autocommit() as here:
                sql = "select count(*) from core.job where state = 'running' or (state = 'ready' and due_at <= now())"
                if not here.exec_driver_sql(sql).scalar_one() and not ran:
                    return
            time.sleep(0.1)


@dataclass
class Sky:
    """The server under all runs, and the database in which the story was told."""

    server: Server
    admin: str
    base: str
    told_at: datetime

    @contextlib.contextmanager
    def copy(self) -> Iterator[psycopg.Connection[Any]]:
        """A fresh copy, bound to this process."""
        name = f"storm_{os.urandom(4).hex()}"
        with psycopg.connect(self.admin, autocommit=True) as root:
            root.execute(
                f"create database {name} template {self.base} strategy file_copy owner chom_owner".encode()
            )
        settings = self.server.settings(name)
        config.use(settings)
        gate.forget()
        bound = engine.configure(settings.database_url)
        try:
            with psycopg.connect(self.admin, dbname=name, autocommit=True) as root:
                yield root
        finally:
            bound.dispose()
            with psycopg.connect(self.admin, autocommit=True) as root:
                root.execute(f"drop database {name} with (force)".encode())

    def run(
        self, seed: int, deliveries: int, *, calm: bool = False, plant: Callable[[], None] | None = None
    ) -> tuple[Verdict, dict[str, int]]:
        """One storm: what came of it, and its figures."""
        dice = random.Random(seed)
        with self.copy() as root, tempfile.TemporaryDirectory() as folder:
            storm = Storm(World(self.server, self.base), dice, Path(folder), calm, plant)
            of = storm_post.post()
            planned = storm_post.plan(sorted(of.bodies), deliveries, dice, orderly=calm)
            engine.engine().dispose()
            try:
                answers = storm.blow(of, planned)
            finally:
                storm._end()
            verdict = judge(root, self.told_at)
        forged = [one for one in planned if one.forged]
        accepted = sum(answers[one.number] < 400 for one in forged) + verdict.unknown
        figures = {"deliveries": len(planned), "forged": len(forged), "accepted": accepted, "kills": storm.kills(),
                   "late": sum(one.late for one in planned)}  # fmt: skip
        return verdict, figures


@contextlib.contextmanager
def sky(events: int) -> Iterator[Sky]:
    """A server of its own, and the story told in it."""
    with Postgres() as postgres:
        server = Server(postgres)
        admin = postgres.url().replace("+psycopg", "")
        with server.database() as base:
            world = World(server, base)
            world.app  # noqa: B018 (built once, before anything is forked)
            for name, kind in KINDS.items():  # here the killer is outside, so no job may die of it
                KINDS[name] = replace(kind, attempts=MANY)
            storm_story.tell(world, events)
            engine.engine().dispose()
            yield Sky(server, admin, base, clock.machine())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=10_000, help="of each seed")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    lease.LEASE, lease.BACKOFF = LEASE, 0.05
    smtp.send = lambda server, mail: None
    began = time.monotonic()
    with sky(given.deliveries // (storm_post.TIMES + 1)) as over:
        gc.collect()
        gc.freeze()
        calm, _ = over.run(0, 0, calm=True)
        caught = {name: over.run(0, 0, plant=plant) for name, plant in storm_plants.PLANTS.items()}
        runs = [over.run(seed, given.deliveries) for seed in range(1, given.seeds + 1)]
    line = report(calm, caught, runs) | {"seconds": round(time.monotonic() - began)}
    print(json.dumps(line))
    good = line["ledger_hashes"] == line["outcome_hashes"] == 1 and line["planted_bugs_caught"] == len(caught)
    wrong = ("forged_accepted", "unheard", "ledger_problems", "dead_jobs")
    return 0 if good and not any(line[name] for name in wrong) else 1


Run = tuple[Verdict, dict[str, int]]


def report(calm: Verdict, caught: dict[str, Run], runs: list[Run]) -> dict[str, Any]:
    """The JSON line."""
    verdicts, figures = [calm, *(verdict for verdict, _ in runs)], [one for _, one in runs]
    return {
        "harness": "storm",
        "seeds": len(runs),
        **{name: sum(one[name] for one in figures) for name in ("deliveries", "forged", "late", "kills")},
        "ledger_entries": calm.entries,
        "ledger_hashes": len({one.ledger for one in verdicts}),
        "outcome_hashes": len({one.rest for one in verdicts}),
        "forged_accepted": sum(one["accepted"] for one in figures),
        "unheard": sum(one.unheard for one in verdicts),
        "ledger_problems": sum(one.problems for one in verdicts),
        "dead_jobs": sum(one.dead for one in verdicts),
        "planted_bugs_caught": sum(
            bool(seen["accepted"] or verdict.unheard) for verdict, seen in caught.values()
        ),
    }


if __name__ == "__main__":
    sys.exit(main())
