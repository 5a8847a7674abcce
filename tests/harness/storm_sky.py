"""The server under all runs of the storm, and the databases in which the story was told: a run is over a copy."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from msgspec.structs import replace
from sqlalchemy import event

from chom_core import config
from chom_core.database import clock, engine
from chom_core.embedded import Postgres
from chom_core.plugin_host import gate
from chom_core.work import run_all
from chom_core.work.handlers import KINDS
from chom_sdk.testing.server import Server
from chom_sdk.testing.world import World
from tests.harness import storm_post, storm_story
from tests.harness.storm_blow import Storm
from tests.harness.storm_verdict import Verdict, judge

MANY = 1_000_000
#: The story's first organisation alone: enough events to see a planted bug.
SMALL = "storm_small"


@dataclass
class Sky:
    """The server, and the database of the whole story."""

    server: Server
    admin: str
    base: str
    told_at: datetime
    bound_to: str = ""
    _turned: bool = False

    @contextlib.contextmanager
    def copy(self, base: str) -> Iterator[psycopg.Connection[Any]]:
        """A fresh copy, bound to this process."""
        name = f"storm_{os.urandom(4).hex()}"
        copy(self.admin, base, name)
        config.use(self.server.settings(name))
        self._bind(name)
        try:
            with psycopg.connect(self.admin, dbname=name, autocommit=True) as root:
                for (tenant_id,) in root.execute("select id from core.tenant").fetchall():
                    gate.enabled(tenant_id)
                yield root
        finally:
            engine.engine().dispose()
            with psycopg.connect(self.admin, autocommit=True) as root:
                root.execute(f"drop database {name} with (force)".encode())

    def _bind(self, name: str) -> None:
        """Turn this process's engine to another database, and keep it: what it has compiled is most of a second's
        work for everyone who is forked without it, and so for each that takes a dead one's place."""
        self.bound_to = name
        gate.forget()
        bound = engine.engine()
        bound.dispose()
        if not self._turned:
            event.listen(bound, "do_connect", self._turn)
            self._turned = True

    def _turn(self, dialect: object, record: object, args: list[Any], how: dict[str, Any]) -> None:
        how["dbname"] = self.bound_to

    def warm(self) -> None:
        """Once through everything in this process, so that who is forked from it has nothing left to compile."""
        with self.copy(SMALL), tempfile.TemporaryDirectory() as folder:
            of = storm_post.post()
            for _ in range(2):
                planned = storm_post.plan(sorted(of.bodies), 0, random.Random(0), orderly=True)
                storm_post.deliver(World(self.server, self.base).app, of, planned, Path(folder) / "answers")
            run_all(reraise=False)

    def run(
        self, seed: int, deliveries: int, *, calm: bool = False, plant: Callable[[], None] | None = None
    ) -> tuple[Verdict, dict[str, int]]:
        """One storm: what came of it, and its figures. One with a planted bug is a small one."""
        dice = random.Random(seed)
        with (
            self.copy(self.base if plant is None else SMALL) as root,
            tempfile.TemporaryDirectory() as folder,
        ):
            of = storm_post.post()
            planned = storm_post.plan(sorted(of.bodies), deliveries, dice, orderly=calm)
            engine.engine().dispose()
            steps = max(8, min(80, len(of.bodies) // 8))
            app = World(self.server, self.base).app
            storm = Storm(app, dice, Path(folder), steps, calm, plant)
            answers = storm.blow(of, planned)
            verdict, kills = judge(root, self.told_at), storm.kills()  # they are written in the folder
        forged = [one for one in planned if one.forged]
        accepted = sum(answers[one.number] < 400 for one in forged) + verdict.unknown
        figures = {"deliveries": len(planned), "forged": len(forged), "accepted": accepted, "kills": kills,
                   "late": sum(one.late for one in planned)}  # fmt: skip
        return verdict, figures


def copy(admin: str, base: str, name: str) -> None:
    with psycopg.connect(admin, autocommit=True) as root:
        root.execute(f"create database {name} template {base} strategy file_copy owner chom_owner".encode())


@contextlib.contextmanager
def sky(events: int) -> Iterator[Sky]:
    """A server of its own, and the story told in it."""
    with Postgres() as postgres:
        server = Server(postgres)
        admin = postgres.url().replace("+psycopg", "")
        with server.database() as base:
            world = World(server, base)
            world.app  # noqa: B018 (built once, before anything is forked)
            logging.disable()  # an answer is told by its status; here nobody reads ten thousand lines
            for name, kind in KINDS.items():  # here the killer is outside, so no job may die of it
                KINDS[name] = replace(kind, attempts=MANY)
            storm_story.begin()
            storm_story.tell(world, 1)
            engine.engine().dispose()
            copy(admin, base, SMALL)
            storm_story.tell(world, events)
            engine.engine().dispose()
            made = Sky(server, admin, base, clock.machine())
            made.warm()
            yield made
