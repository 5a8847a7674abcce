"""Kill the worker, as a crash would: the house starts it again, and what it was building goes on where it stood."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from chom_core.demo.house import WORKER_PID
from chom_core.demo.place import Place
from chom_core.embedded.process import descendants
from chom_core.values.errors import Unavailable


def kill_worker(place: Place) -> int:
    """SIGKILL to the worker and what it forked, but not to the sites it started. Answers how many processes died."""
    noted = place.read(WORKER_PID)
    if not noted or not _command(int(noted)):
        raise Unavailable(
            "The worker is not running just now.", fix="Wait a second: it is being started again."
        )
    parent = int(noted)
    # what is forked keeps the command line; what was started as a program of its own has another one
    family = [pid for pid in descendants(parent) if _command(pid) == _command(parent)]
    for pid in (parent, *family):
        _kill(pid)
    return len(family) + 1


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
