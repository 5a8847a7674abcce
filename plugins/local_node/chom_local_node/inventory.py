"""Everything that exists on this node, asked for or not: what the drift sweep compares with the record."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from . import ports, processes
from .records import Node, SiteRecord, load_all

_LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


@dataclass(frozen=True)
class Found:
    """One site, or the remains of one. `listening` says whether its port is open; `port` is 0 where no record tells.

    `size` is what its files hold, in bytes.
    """

    name: str
    record: SiteRecord | None
    folder: bool
    pids: tuple[int, ...]
    port: int
    listening: bool
    drifts: tuple[str, ...]
    size: int


def inventory(node: Node) -> list[Found]:
    """Records, folders, processes and open ports of this node, joined by site name; `drifts` lists what does not agree.

    Drifts: "folder without record", "process without record", "folder missing", "process dead", "port closed",
    "process not the recorded one", "port open beyond loopback", "port open without process".
    """
    records = {record.name: record for record in load_all(node)}
    folders = {path.name for path in node.sites.iterdir()} if node.sites.exists() else set()
    pids: dict[str, list[int]] = {}
    for process in processes.living(node):
        pids.setdefault(process.site, []).append(process.pid)
    open_ports = ports.listening(node)
    found = []
    for name in sorted({*records, *folders, *pids}):
        record = records.get(name)
        port = record.port if record else 0
        mine = tuple(sorted(pids.get(name, ())))
        drifts = _drifts(record, name in folders, mine, open_ports.get(port, set()))
        size = _size(node.sites / name) if name in folders else 0
        found.append(Found(name, record, name in folders, mine, port, port in open_ports, drifts, size))
    return found


def _size(folder: Path) -> int:
    """A file that goes while it is counted counts nothing; links are not followed."""
    total = 0
    for place, _folders, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += Path(place, name).lstat().st_size
    return total


def _drifts(
    record: SiteRecord | None, folder: bool, pids: tuple[int, ...], addresses: set[str]
) -> tuple[str, ...]:
    if record is None:
        return (*(["folder without record"] if folder else []), *(["process without record"] if pids else []))
    running = processes.is_running(record)
    wrong = {
        "folder missing": not folder,
        "process dead": record.pid > 0 and not running,
        "process not the recorded one": bool(pids) and not running,
        "port closed": running and not addresses,
        "port open beyond loopback": not addresses <= _LOOPBACK,
        "port open without process": bool(addresses) and not pids,
    }
    return tuple(words for words, is_so in wrong.items() if is_so)
