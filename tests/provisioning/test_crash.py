"""SIGKILL at every boundary of an operation, then resume: every effect exactly once, no orphan, nothing doubled.

A child process drives the operation and kills itself at its n-th boundary: before and after each write of the
journal, and between the effects inside the steps. Another child resumes.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chom_core.database import engine as database_engine
from chom_core.database import transaction
from chom_core.provisioning import engine, lifecycle, reads, service
from chom_core.provisioning.journal import Journal
from tests.provisioning.toy import driver

WRITES = ("lay_out", "doing", "done", "record", "line", "progress", "stumbled", "turn_back", "undone")
SEED = 7


def _count_boundaries(reach: Callable[[str], None]) -> None:
    """In the child: call `reach` around every write and at every boundary of the toy's world."""

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            reach(f"before {function.__name__}")
            answer = function(*args, **kwargs)
            reach(f"after {function.__name__}")
            return answer

        return wrapped

    for name in WRITES:
        setattr(Journal, name, around(getattr(Journal, name)))
    lifecycle.claim = around(lifecycle.claim)
    lifecycle.finish = around(lifecycle.finish)
    driver.boundary = reach


def some(boundaries: int, most: int = 24) -> list[int]:
    """Boundaries to die at: all, or a seeded choice where all would take too long (CHOM_CRASH_ALL=1 takes all)."""
    every = range(1, boundaries + 1)
    if os.environ.get("CHOM_CRASH_ALL") == "1" or boundaries <= most:
        return list(every)
    return sorted(random.Random(SEED).sample(every, most))


def drive_in_child(tenant: UUID, operation: UUID, kill_at: int = 0) -> int:
    """Drive in a process of its own. Returns the number of boundaries passed, or -1 where it was killed."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        passed = 0

        def reach(name: str) -> None:
            nonlocal passed
            passed += 1
            if passed == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            database_engine.forget_connections()
            _count_boundaries(reach)
            engine.drive(tenant, operation)
            os.write(write, str(passed).encode())
        finally:
            os._exit(0)
    os.close(write)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return -1
    assert told, "the child ended without driving"
    return int(told)


class Crashing:
    """One organisation's operations, killed and resumed, and what the world looks like afterwards."""

    def __init__(self, tenant: UUID, world: Path) -> None:
        self.tenant = tenant
        self.world = world
        self.kills = 0

    def order(self, name: str, **settings: Any) -> UUID:
        with transaction(self.tenant):
            return service.create_service(kind="toy", name=name, settings=settings).id

    def act(self, name: str, action: str) -> UUID:
        with transaction(self.tenant):
            (found,) = reads.services(search=name)
            if action == "delete":
                return service.delete_service(found.id, name).id
            return service.act(found.id, action).id

    def crash_and_resume(self, operation: UUID, kills: list[int]) -> str:
        for kill_at in kills:
            landed = drive_in_child(self.tenant, operation, kill_at) == -1
            self.kills += landed
        drive_in_child(self.tenant, operation)
        with transaction(self.tenant):
            return reads.operation(operation).status

    def of(self, name: str) -> dict[str, int]:
        """How many traces of `name` the world holds, by sort."""
        site = self.world / "sites" / name
        with transaction(self.tenant):
            (found,) = reads.services(search=name, deleted=True)
        machines = [path.name for path in (self.world / "machines").iterdir() if path.read_text() == name]
        ports = [
            path.name
            for path in (self.world / "ports").iterdir()
            if path.name == str(found.facts.get("port"))
        ]
        assert machines in ([], [found.facts.get("machine")]), "a machine stands outside that nobody recorded"
        return {
            "site": int(site.exists()),
            "running": int((site / "running").exists()),
            "machine": len(machines),
            "port": len(ports),
            "ledger": driver._ledger().count(name),
        }

    def no_orphans(self, alive: int) -> None:
        """The world holds exactly what `alive` services have."""
        for sort in ("ports", "machines", "sites"):
            assert len(list((self.world / sort).iterdir())) == alive, f"{sort}: orphans"


WHOLE = {"site": 1, "running": 1, "machine": 1, "port": 1, "ledger": 1}
NOTHING = {"site": 0, "running": 0, "machine": 0, "port": 0, "ledger": 0}


@pytest.fixture
def crashing(tenants: tuple[UUID, UUID], node: UUID, world: Path) -> Crashing:
    return Crashing(tenants[0], world)


def test_killed_at_every_boundary_of_a_build(crashing: Crashing) -> None:
    boundaries = drive_in_child(crashing.tenant, crashing.order("whole"))
    assert boundaries > 40
    for n in range(1, boundaries + 1):
        assert crashing.crash_and_resume(crashing.order(f"b{n}x"), [n]) == "succeeded"
        assert crashing.of(f"b{n}x") == WHOLE, f"killed at boundary {n}"
    crashing.no_orphans(boundaries + 1)
    assert crashing.kills == boundaries, "every kill landed"


def test_killed_at_the_boundaries_of_a_build_that_fails(crashing: Crashing) -> None:
    boundaries = some(drive_in_child(crashing.tenant, crashing.order("whole", fail_at="run")))
    for n in boundaries:
        assert crashing.crash_and_resume(crashing.order(f"f{n}x", fail_at="run"), [n]) == "undone"
        assert crashing.of(f"f{n}x") == NOTHING, f"killed at boundary {n}"
    crashing.no_orphans(0)
    assert crashing.kills == len(boundaries)


def test_killed_at_the_boundaries_of_a_deletion(crashing: Crashing) -> None:
    drive_in_child(crashing.tenant, crashing.order("whole"))
    boundaries = some(drive_in_child(crashing.tenant, crashing.act("whole", "delete")))
    for n in boundaries:
        drive_in_child(crashing.tenant, crashing.order(f"d{n}x"))
        assert crashing.crash_and_resume(crashing.act(f"d{n}x", "delete"), [n]) == "succeeded"
    crashing.no_orphans(0)
    assert crashing.kills == len(boundaries)


def test_killed_several_times_at_random(crashing: Crashing) -> None:
    chance = random.Random(SEED)
    for n in range(12):
        kills = [chance.randint(1, 30) for _ in range(chance.randint(2, 5))]
        broken = {"fail_at": chance.choice(["folder", "run", "verify"])} if n % 3 == 0 else {}
        status = crashing.crash_and_resume(crashing.order(f"r{n}x", **broken), kills)
        assert crashing.of(f"r{n}x") == (NOTHING if broken else WHOLE), f"{kills} {broken}"
        assert status == ("undone" if broken else "succeeded")
        if not broken:
            for action in ("stop", "start", "restart"):
                assert crashing.crash_and_resume(crashing.act(f"r{n}x", action), kills[:2]) == "succeeded"
            assert crashing.of(f"r{n}x") == WHOLE
    crashing.no_orphans(8)
    assert crashing.kills > 40


def test_the_harness_sees_a_planted_bug(crashing: Crashing) -> None:
    """A step that notes a machine's name only after making it leaves an orphan; this test must see it."""
    driver.careless = True
    boundaries = drive_in_child(crashing.tenant, crashing.order("whole"))
    caught = 0
    for n in range(boundaries // 4, boundaries * 3 // 4):
        crashing.crash_and_resume(crashing.order(f"p{n}x"), [n])
        try:
            crashing.of(f"p{n}x")
        except AssertionError:
            caught += 1
    assert caught
