"""How a server is measured: its process tree's CPU and memory, its answers over one kept connection."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

HZ = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """The process and everything below it."""
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            todo += [int(child) for child in task.read_text().split()]
    return found


def cpu_seconds(root: int) -> float:
    """CPU of the tree so far, with that of children which have ended."""
    total = 0
    for pid in tree(root):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(int(fields[i]) for i in (11, 12, 13, 14))
    return total / HZ


def cpu_ns(root: int) -> int:
    """CPU of the living tree in nanoseconds, by the scheduler's own count: finer than clock ticks."""
    total = 0
    for pid in tree(root):
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            total += int(task.read_text().split()[0])
    return total


def pss_mb(pid: int) -> float:
    """Memory of one process in MB, its share of what is shared included."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


@dataclass
class Server:
    """A granian with one worker on `target`, at a port of loopback; `threads` requests at once."""

    target: str
    port: int
    env: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    log: list[str] = field(default_factory=list)
    boot_cpu_s: float = 0.0
    threads: int = 1

    def __enter__(self) -> Server:
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(self.port)]
        command += ["--workers", "1", "--blocking-threads", str(self.threads), "--no-access-log", self.target]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | dict(self.env)
        out = (Path(tempfile.gettempdir()) / f"chom-bench-{self.port}.log").open("wb")
        self.process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.get("/nothing-here")
                break
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError(Path(out.name).read_text()[-2000:]) from None
                time.sleep(0.05)
        self.boot_cpu_s = cpu_seconds(self.process.pid)
        return self

    def __exit__(self, *error: object) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(20)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def get(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        line = self.connection()
        line.request("GET", path, headers=dict(headers or {}))
        answer = line.getresponse()
        return answer.status, answer.read(), answer.headers

    def cost_ms(self, requests: list[tuple[str, str, bytes | None, dict[str, str]]], expect: int) -> float:
        """CPU milliseconds of the server's tree per request, over one kept connection."""
        assert self.process is not None
        line = self.connection()
        before = cpu_ns(self.process.pid)
        for method, path, body, headers in requests:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            content = answer.read()
            if answer.status != expect:
                raise RuntimeError(f"{method} {urlsplit(path).path}: {answer.status} {content[:300]!r}")
        return (cpu_ns(self.process.pid) - before) / 1e6 / len(requests)

    @property
    def worker(self) -> int:
        """The pid of the one worker."""
        assert self.process is not None
        return tree(self.process.pid)[-1]
