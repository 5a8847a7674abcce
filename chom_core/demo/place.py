"""Where a demo lives: its data folder, the secrets made once, the lock that keeps a second demo out."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

import chom_core
from chom_core.values.errors import Conflict

ROOT = Path(str(chom_core.__file__)).parent.parent
FIRST_PORT, PORTS = 8000, 100


def default_folder() -> Path:
    """`var/demo` in the checkout; below the current folder where CHOM was installed from a wheel."""
    return (ROOT if (ROOT / "pyproject.toml").exists() else Path.cwd()) / "var" / "demo"


@dataclass
class Place:
    """The folder of one demo. `open` locks it; only one demo at a time uses it."""

    folder: Path
    _lock: int = field(default=-1, repr=False)

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def mail(self) -> Path:
        return self.folder / "mail"

    @property
    def sites(self) -> Path:
        return self.folder / "sites"

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    def open(self, *, fresh: bool = False) -> None:
        """Make and lock the folder; `fresh` empties it first. Conflict where another demo runs in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)  # sites run as users of their own, who must be able to pass
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise Conflict(
                f"A demo runs in {self.folder} already: {self.read('address') or 'it is starting'}",
                fix="Use it, or stop it with Ctrl-C in its terminal first.",
            ) from None
        self._lock = lock
        if fresh:
            self._empty()
        for folder in (self.logs, self.mail):
            folder.mkdir(exist_ok=True, mode=0o700)

    def close(self) -> None:
        """Let another demo have the folder."""
        os.close(self._lock)
        self._lock = -1

    def _empty(self) -> None:
        for pid, _where in processes(self.sites):  # what a killed demo's sites left running
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for item in self.folder.iterdir():
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item)
            elif item.name != "lock":
                item.unlink()

    def secrets(self) -> Mapping[str, str]:
        """The secrets of this demo, made at its first start: the key of encrypted columns, everybody's password."""
        path = self.folder / "secrets.json"
        if not path.exists():
            made = {"key": Fernet.generate_key().decode(), "password": f"lantern-{secrets.token_hex(3)}"}
            path.touch(mode=0o600)
            path.write_text(json.dumps(made))
        found: dict[str, str] = json.loads(path.read_text())
        return found

    def write(self, name: str, text: str) -> None:
        """Keep a small fact (the address, the worker's pid) for other processes of the demo."""
        fresh = self.folder / f"{name}.new"
        fresh.write_text(text)
        fresh.replace(
            self.folder / name
        )  # who reads meanwhile finds the old fact or the new one, never half of it

    def read(self, name: str) -> str:
        """A small fact, or an empty text."""
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def forget(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)


def processes(folder: Path) -> Iterator[tuple[int, Path]]:
    """Processes whose working folder is `folder` or below, with that folder (Linux; elsewhere none)."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            where = Path(str((entry / "cwd").readlink()).removesuffix(" (deleted)"))
        except OSError:  # gone meanwhile, or another user's
            continue
        if where == folder or folder in where.parents:
            yield int(entry.name), where


def free_port(wanted: int = 0) -> int:
    """`wanted`, which must be free, or the first free port from 8000 on."""
    if wanted:
        if _is_free(wanted):
            return wanted
        raise Conflict(f"Port {wanted} is taken on this machine.", fix="Leave --port out, or name another.")
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        if _is_free(port):
            return port
    raise Conflict(f"No port from {FIRST_PORT} on is free.", fix="Name a free one: ./dev demo --port N")


def any_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
