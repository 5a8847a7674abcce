"""The crash harness: SIGKILL at every step of the real worker code, Redis emptied and killed, Postgres crash-restarted.

    python -m tests.harness.crash --kills 2000 --seed 7

Workers are the real RQ workers of `chom_core.work.worker`, forked from this warmed process; each is given a step at
which it kills itself (or, one in eight, is killed at a random moment, which is not counted). First a planted bug must
be caught; then the real code must lose nothing and double nothing. Prints one JSON line; exit code 1 where it fails.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import math
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from chom_core.database import engine
from chom_core.work import checkpoint, lease, scheduler, schedules, worker
from tests.harness import crash_work
from tests.harness.crash_place import Place, make_tenant, place

WORKER_STEPS = (
    "claim:before", "claim:taken", "run:begun", "handler:before", "handler:mid", "run:handled", "run:marked",
    "run:committed", "outside:held", "outside:committed", "handler:outside", "outside:called", "wake:before",
    "wake:marked", "wake:after", "fail:before", "fail:after",
)  # fmt: skip
LONG_STEPS = (
    "claim:before",
    "claim:taken",
    "run:begun",
    "outside:committed",
    "handler:outside",
    "run:marked",
    "run:committed",
)
SCHEDULER_STEPS = (
    "sweep:reclaimed", "sweep:woken", "wake:before", "wake:marked", "schedule:fanned", "schedule:committed",
)  # fmt: skip
CREW = ("default", "default", "default", "ssh", "scheduler")
LEASE = 0.6
#: Seconds after which a child whose step never came is replaced. A forked worker lives through many horses' deaths.
PATIENCE = {"default": 0.8, "scheduler": 0.8, "ssh": 3.0}


class Bomb:
    """Stands in for `checkpoint.reach`: kills this process the nth time a step is reached, and says so first."""

    def __init__(self, step: str, nth: int, log: Path, chance: float = 1.0) -> None:
        self.chance = chance
        self.step, self.left, self.log = step, nth, os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def __call__(self, step: str) -> None:
        if step != self.step:
            return
        self.left -= 1
        if self.left <= 0 and random.random() < self.chance:
            os.write(self.log, f"{step}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Child:
    role: str
    ends_at: float


@dataclass
class Siege:
    """One run: keeps workers and a scheduler alive, kills them, breaks the servers, and waits for the work to end."""

    where: Place
    tenant: UUID
    dice: random.Random
    log: Path
    planted: bool = False
    children: dict[int, Child] = field(default_factory=dict)
    spawned: int = 0
    supplied: int = 0
    looked_at: float = 0.0
    clean: bool = False
    faults: Counter[str] = field(default_factory=Counter)

    def landed(self) -> Counter[str]:
        return Counter(self.log.read_text().split()) if self.log.exists() else Counter()

    def run(self, kills: int) -> dict[str, object]:
        begun = time.monotonic()
        plan = self._faults(kills)
        done = 0
        while done < kills:
            self._keep(CREW)
            self._supply()
            done = self.landed().total()
            while plan and done >= plan[0][0]:
                name, break_it = plan.pop(0)[1]
                self.faults[name] += 1
                break_it()
            time.sleep(0.004)
        seconds = time.monotonic() - begun
        self._end_all()
        self.clean = True
        self._finish()
        with self._root() as root:
            found = crash_work.count(root)
        return {
            "kills_landed": self.landed().total(),
            "kills_per_s": round(kills / seconds, 1),
            "seconds": round(time.monotonic() - begun, 1),
            "workers": self.spawned,
            "faults": dict(self.faults),
            **found,
        }

    def _faults(self, kills: int) -> list[tuple[int, tuple[str, Callable[[], None]]]]:
        kinds: list[tuple[str, Callable[[], None]]] = [
            ("redis_emptied", self.where.valkey.flush),
            ("postgres_crashed", lambda: self.where.postgres.restart("immediate")),
            ("redis_killed", self._kill_redis),
        ]
        many = max(3, min(24, kills // 80))
        return [(kills * (n + 1) // (many + 1), kinds[n % 3]) for n in range(many)]

    def _kill_redis(self) -> None:
        self.where.valkey.kill()
        time.sleep(self.dice.uniform(0, 0.3))
        self.where.valkey.start()

    def _keep(self, roles: tuple[str, ...]) -> None:
        """Bury the dead, kill those whose time is up, and replace what is missing."""
        now = time.monotonic()
        for pid, child in list(self.children.items()):
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    del self.children[pid]
                elif now > child.ends_at:
                    self._kill(pid)
        alive = Counter(child.role for child in self.children.values())
        for role, wanted in Counter(roles).items():
            for _ in range(wanted - alive[role]):
                self._spawn(role)

    def _kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.children.pop(pid, None)

    def _end_all(self) -> None:
        for pid in list(self.children):
            self._kill(pid)

    def _spawn(self, role: str) -> None:
        self.spawned += 1
        steps = {"default": WORKER_STEPS, "ssh": LONG_STEPS, "scheduler": SCHEDULER_STEPS}[role]
        # Every horse of a forked worker carries the bomb: some must get through.
        chance = 0.6 if role == "ssh" else 1.0
        step, nth = steps[self.spawned % len(steps)], self.dice.choice((1, 1, 1, 2, 3))
        lives = self.dice.uniform(0.02, 0.4) if self.dice.random() < 0.125 else PATIENCE[role]
        pid = os.fork()
        if pid == 0:
            self._be(role, None if self.clean else Bomb(step, nth, self.log, chance))
        self.children[pid] = Child(role, time.monotonic() + (1e9 if self.clean else lives))

    def _be(self, role: str, bomb: Bomb | None) -> None:
        """The child's life."""
        try:
            worker.die_with(os.getppid())
            random.seed(self.spawned)
            engine.forget_connections()
            if self.planted:
                crash_work.plant_bug()
            if bomb is not None:
                checkpoint.reach = bomb
            if not os.environ.get("CHOM_CRASH_LOUD"):
                sink = os.open(os.devnull, os.O_WRONLY)
                os.dup2(sink, 1)
                os.dup2(sink, 2)
            if role == "scheduler":
                while True:
                    schedules.tick()
                    scheduler.sweep()
                    time.sleep(0.03)
            worker.work(role)
        finally:
            os._exit(1)

    def _supply(self) -> None:
        """Keep jobs in line; where Postgres is just away, the next round will."""
        if time.monotonic() < self.looked_at + 0.05:
            return
        self.looked_at = time.monotonic()
        with contextlib.suppress(SQLAlchemyError):
            with lease.autocommit() as connection:
                ready = connection.exec_driver_sql(
                    "select count(*) from (select from core.job where state = 'ready' and pool = 'default' limit 120) x"
                ).scalar_one()
            if ready < 120:
                crash_work.supply(self.tenant, 60, self.supplied)
                self.supplied += 60

    def _finish(self, patience: float = 60) -> None:
        """Clean workers and a clean scheduler until nothing is left to do, or nothing was done for so many seconds."""
        left, until = math.inf, math.inf
        with self._root() as root:
            root.execute("delete from core.schedule")
            while time.monotonic() < until:  # what is left then shows as lost
                self._keep(CREW)
                row = root.execute(
                    "select count(*) from core.job where state in ('ready', 'running')"
                ).fetchone()
                now = int(row[0]) if row else 0
                if not now:
                    break
                if now < left:
                    left, until = now, time.monotonic() + patience
                time.sleep(0.05)
        self._end_all()

    def _root(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.where.postgres.sockets), user="postgres", dbname="work", autocommit=True
        )


def siege(kills: int, seed: int, *, planted: bool = False) -> tuple[dict[str, object], Counter[str]]:
    """One run on servers of its own."""
    with tempfile.TemporaryDirectory() as folder, place() as where:
        crash_work.prepare(where)
        run = Siege(where, make_tenant(), random.Random(seed), Path(folder) / "kills", planted)
        try:
            return run.run(kills), run.landed()
        finally:
            run._end_all()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    gc.collect()
    gc.freeze()  # forked children touch less of this process's memory
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    lease.LEASE, lease.BACKOFF, scheduler.STALE = LEASE, 0.05, 0.3
    bug, _ = siege(max(60, min(200, given.kills // 10)), given.seed, planted=True)
    found, steps = siege(given.kills, given.seed)
    caught = int(str(bug["doubled"])) > 0
    line = {
        "harness": "crash",
        "seed": given.seed,
        **found,
        "planted_bug_caught": caught,
        "planted_bug_doubled": bug["doubled"],
        "planted_bug_kills": bug["kills_landed"],
        "steps": dict(steps),
    }
    print(json.dumps(line))
    return 0 if caught and found["lost"] == 0 and found["doubled"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
