"""Start a site's process so that it outlives us, find it again, and end it and nothing else.

A process is known by pid and start time together (a pid alone is soon another's). Each also carries a tag in its
environment, by which one is found that was started just before its record could be written.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from .records import Node, SiteRecord, save
from .types import RunnerError

TAG = "CHOM_LOCAL_SITE"
LOG_BYTES = 1_000_000
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Process:
    """A living process: `started` in clock ticks since boot, `group` its process group, `site` the name in its tag."""

    pid: int
    started: int
    group: int
    site: str


def tag(node: Node, name: str) -> str:
    """The value of TAG in the environment of the site's processes."""
    return f"{node.root}:{name}"


def is_running(record: SiteRecord) -> bool:
    """Whether the recorded process lives, and is the one recorded."""
    _reap()
    return record.pid > 0 and _started(record.pid) == record.started


def living(node: Node, name: str | None = None) -> list[Process]:
    """All processes of this node's sites (or of one), found by their tag."""
    _reap()
    prefix = f"{TAG}={node.root}:".encode()
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            environment = Path(entry.path, "environ").read_bytes().split(b"\0")
            site = next(
                (item[len(prefix) :].decode() for item in environment if item.startswith(prefix)), None
            )
            started, group = _started(int(entry.name)), os.getpgid(int(entry.name))
        except OSError:  # gone meanwhile, or another user's
            continue
        if site is not None and started and name in (None, site):
            found.append(Process(int(entry.name), started, group, site))
    return found


def start(
    node: Node, record: SiteRecord, command: list[str], environment: dict[str, str], memory: int
) -> SiteRecord:
    """Start `command` in a session of its own unless the site's process lives; returns the saved record.

    `memory` caps the private memory in bytes. A process left by a start that was cut off is ended first.
    """
    if is_running(record):
        return record
    stop(node, record)
    log = open_log(node, record)
    try:
        process = subprocess.Popen(
            command, cwd=node.site(record.name) / "tmp", env={**environment, TAG: tag(node, record.name)},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, umask=0o027,
        )  # fmt: skip
    finally:
        os.close(log)
    _children[process.pid] = process
    record = save(node, replace(record, pid=process.pid, started=_started(process.pid) or 0))
    _limit(process.pid, memory)
    return record


def stop(node: Node, record: SiteRecord, patience: float = 10.0) -> SiteRecord:
    """End the site's processes: SIGTERM to their groups, SIGKILL after `patience` seconds; returns the saved record."""
    deadline = time.monotonic() + patience
    signalled: int = signal.SIGTERM
    while processes := living(node, record.name):
        _signal_groups({process.group for process in processes}, signalled)
        signalled = 0 if time.monotonic() < deadline else signal.SIGKILL
        if time.monotonic() > deadline + patience:
            raise RunnerError(
                f"The processes of {record.name} do not end.", fix="Look at the node: the disk may hang."
            )
        time.sleep(0.05)
    return save(node, replace(record, pid=0, started=0)) if record.pid else record


def _signal_groups(groups: Iterable[int], number: int) -> None:
    for group in groups:
        if group == os.getpgid(0):
            raise RunnerError(
                "A site's process is in our own process group; it was not started by this package."
            )
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            continue


def _started(pid: int) -> int | None:
    """Start time of a living process in ticks since boot; None for no process and for a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def _reap() -> None:
    """Collect children that have ended, so that they are not kept as zombies."""
    for pid, process in list(_children.items()):
        if process.poll() is not None:
            del _children[pid]


def _limit(pid: int, memory: int) -> None:
    for what, most in (
        (resource.RLIMIT_DATA, memory), (resource.RLIMIT_NOFILE, 4096), (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        try:
            resource.prlimit(pid, what, (most, most))
        except ProcessLookupError:  # ended at once; whoever waits for the site will say so, with its log
            return


def open_log(node: Node, record: SiteRecord) -> int:
    """Descriptor of the site's log, opened to append. The process itself cuts it at LOG_BYTES, keeping one older piece.

    The folder is ours and the two files the site's, so that a site can write them but not put a link in their place.
    """
    folder = node.site(record.name) / "log"
    for name in ("site.log.1", "site.log"):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(folder / name, flags, 0o640)
        if record.uid:
            os.fchown(descriptor, record.uid, record.uid)
        if name == "site.log":
            return descriptor
        os.close(descriptor)
    raise AssertionError("unreachable")


def log_tail(node: Node, name: str, lines: int = 8) -> str:
    """The last lines of the site's log."""
    try:
        text = (node.site(name) / "log/site.log").read_bytes()[-20_000:].decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])
