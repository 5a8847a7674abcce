"""Several processes play one simulation: each takes whole families, a reseller with its customers, over all months.

Nobody's chance hangs on anybody else's, so the company is the same that one process makes, to the cent; only whose
invoice comes first, and so its number, may differ.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import TYPE_CHECKING
from uuid import UUID

from chom_core.database import engine
from chom_core.simulation.cast import Actor
from chom_core.work.worker import die_with

if TYPE_CHECKING:
    from chom_core.simulation.run import Progress, Simulation

#: Whether it was stopped, how its acts went, and who is who.
Played = tuple[bool, Counter[str], dict[int, UUID]]


def shares(actors: Sequence[Actor], months: int, count: int) -> list[list[Actor]]:
    """The actors dealt to at most `count` processes: families stay together, each share is about as long."""
    families: dict[int, list[Actor]] = {}
    for actor in actors:
        families.setdefault(actor.number if actor.parent is None else actor.parent, []).append(actor)
    made: list[list[Actor]] = [[] for _ in range(max(count, 1))]
    for family in sorted(families.values(), key=lambda family: -_length(family, months)):
        min(made, key=lambda share: _length(share, months)).extend(family)
    return [sorted(share, key=lambda actor: actor.number) for share in made if share]


def _length(actors: Sequence[Actor], months: int) -> int:
    return sum(months - actor.joins for actor in actors)


def play(run: Simulation, dealt: Sequence[Sequence[Actor]], progress: Progress) -> Played:
    """Play every share in a process of its own; an error of one ends them all, and comes out here."""
    context = multiprocessing.get_context("fork")
    stop, done = context.Event(), context.Value("i", 0)
    of = sum(_length(share, run.months) for share in dealt)
    stopped, outcomes, ids = False, Counter[str](), dict[int, UUID]()
    with ProcessPoolExecutor(len(dealt), context, _begin, (run, stop, done, os.getpid())) as pool:
        left = {pool.submit(_share, share) for share in dealt}
        try:
            while left:
                ended, left = wait(left, timeout=0.2)
                for one in ended:
                    share_stopped, share_outcomes, share_ids = one.result()
                    stopped |= share_stopped
                    outcomes += share_outcomes
                    ids |= share_ids
                progress(done.value, of)
                if run.stopping():
                    stop.set()
        finally:
            stop.set()
    return stopped, outcomes, ids


#: In a process of the crew: what it plays, whether it shall stop, how many months all of them have played.
_run: Simulation
_stop: Event
_done: Synchronized[int]


def _begin(run: Simulation, stop: Event, done: Synchronized[int], parent: int) -> None:
    global _run, _stop, _done
    _run, _stop, _done = run, stop, done
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and says when to stop
    die_with(parent)
    engine.forget_connections()


def _share(actors: Sequence[Actor]) -> Played:
    def count(done: int, of: int) -> None:
        with _done.get_lock():
            _done.value += 1

    _run.stopping = _stop.is_set
    return _run.play(actors, count)
