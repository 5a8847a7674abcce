"""Handlers that a real worker process loads by `--load`."""

from __future__ import annotations

import os
import time

from chom_core.work import Job, job
from chom_core.work.handlers import KINDS
from tests.work.helpers import ledger


@job("w.note")
def note(given: Job) -> None:
    ledger(f"{given.args['n']}", given.id)


@job("w.pid", pool="ssh")
def pid(given: Job) -> None:
    ledger(f"pid {os.getpid()}", given.id)


@job("w.hangs", pool="ssh", timeout=0.5, attempts=1)
def hangs(given: Job) -> None:
    while True:
        try:
            time.sleep(60)
        except Exception:
            continue


#: What this module registered, for tests that enqueue what their worker runs.
MINE = {name: kind for name, kind in KINDS.items() if name.startswith("w.")}
