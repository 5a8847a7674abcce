"""A throw-away folder in memory, for servers whose databases are made and dropped by the thousand.

A copy of the tests' template costs 0.02 s of CPU there and up to 0.46 s on a disk (ext4 in a virtual machine).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PLACE = Path("/dev/shm")  # noqa: S108 (mkdtemp makes the folder ours alone)
#: Bytes that must be free: many machines have a memory folder too small for a server.
ROOM = 4 << 30
_PREFIX = "chom-memory-"


class Memory:
    """A 0700 folder in memory, `folder`; None where there is no room for it."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        with contextlib.suppress(OSError):
            if shutil.disk_usage(PLACE).free >= ROOM:
                _sweep()
                self._make()

    def _make(self) -> None:
        self._held, name = tempfile.mkstemp(prefix=_PREFIX, suffix=".lock", dir=PLACE)
        fcntl.flock(self._held, fcntl.LOCK_EX)
        self._lock = Path(name)
        self.folder = self._lock.with_suffix("")
        self.folder.mkdir(mode=0o700)

    def remove(self) -> None:
        """Give the memory back."""
        if self.folder is not None:
            _remove(self._lock)
            os.close(self._held)
            self.folder = None


def _sweep() -> None:
    """Remove what killed processes left: nobody holds its lock any more."""
    for lock in PLACE.glob(f"{_PREFIX}*.lock"):
        with contextlib.suppress(OSError), lock.open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(lock)


def _remove(lock: Path) -> None:
    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
    lock.unlink(missing_ok=True)
