"""A child process in the foreground that dies with its parent, even where the parent is killed.

On Linux `setpriv` (util-linux) asks the kernel to signal the child when the *thread* that started it ends: start
children from a thread that lives as long as they should. Elsewhere only a clean exit of the parent stops them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from chom_core.values.errors import Unavailable

NOBODY = 65534


class Process:
    """One supervised child, in a session of its own: Ctrl-C reaches the parent, which stops it in good order."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        user: int | None = None,
        reaches: Iterable[Path] = (),
    ) -> None:
        """`env` is added to this process's own; `log` takes both outputs, appended; for the rest see `guarded`."""
        self.name = name
        self.command = guarded([str(part) for part in command], stop_signal, user, reaches)
        self.log, self.env, self.cwd, self.stop_signal = log, dict(env or {}), cwd, stop_signal
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The child's process id; an error before `start`."""
        if self._child is None:
            raise Unavailable(f"{self.name} was not started")
        return self._child.pid

    def alive(self) -> bool:
        """Whether it runs now."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> Self:
        """Start it (again); ready is another question: `wait_until`."""
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | self.env,
                cwd=self.cwd,
                start_new_session=True,
            )
        return self

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30) -> None:
        """Return once `ready()`; where the child ends first, or time does, stop it and show the end of its log."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive():
                raise Unavailable(f"{self.name} ended while starting", fix=f"Its last words: {self.tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise Unavailable(
                    f"{self.name} was not ready in {seconds} s", fix=f"Its last words: {self.tail()}"
                )
            time.sleep(0.01)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self._child is not None and self.alive():
            self._child.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Wait for its end; False where it still runs then."""
        if self._child is None:
            return True
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, seconds: float = 15) -> None:
        """Ask it to end; kill it where it does not."""
        self.signal(self.stop_signal)
        if not self.wait(seconds):
            self.kill()

    def kill(self) -> None:
        """SIGKILL to it and all its descendants, and return when they are gone."""
        if self._child is None or not self.alive():
            return
        family = [self._child.pid, *descendants(self._child.pid)]
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._child.wait()
        while any(running(pid) for pid in family):
            time.sleep(0.005)

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self if self.alive() else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def stop_all(processes: Iterable[Process], seconds: float = 15) -> None:
    """Ask all of them at once, then wait for each."""
    family = list(processes)
    for process in family:
        process.signal(process.stop_signal)
    for process in family:
        process.stop(seconds)


def guarded(
    command: list[str], death: signal.Signals, user: int | None = None, reaches: Iterable[Path] = ()
) -> list[str]:
    """The command under `setpriv`: signalled at its parent's death and, with `user`, run as that unprivileged uid.

    `reaches`: paths it must get at. Where other users may not pass (a checkout under root's home) it keeps the
    right to pass folders, rather than us opening those folders to everyone.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        return command
    options = ["--pdeathsig", death.name.removeprefix("SIG")]
    if user is not None:
        options += ["--reuid", str(user), "--regid", str(user), "--clear-groups"]
        if not all(open_to_all(path) for path in reaches):
            options += ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]
            # access(2), by which Postgres looks for its own parts, counts the right only with this bit
            options += ["--securebits", "+no_setuid_fixup"]
    return [setpriv, *options, "--", *command]


def open_to_all(path: Path) -> bool:
    """Whether any user may pass through every folder above the path."""
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents if folder.exists())


def descendants(pid: int) -> list[int]:
    """Its children, theirs, and so on (Linux; elsewhere none)."""
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, listing.read_text().split()):
            found += [child, *descendants(child)]
    return found


def running(pid: int) -> bool:
    """Whether the process exists and is no zombie waiting for its new parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
