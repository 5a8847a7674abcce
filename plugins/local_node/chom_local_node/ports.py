"""Ports on loopback: chosen free, recorded before use, freed with the record."""

from __future__ import annotations

import socket
from pathlib import Path

from .records import Node, SiteRecord, load, load_all, locked, new_record, save
from .types import RunnerError, SiteSpec
from .users import site_uid


def allocate(node: Node, spec: SiteSpec) -> SiteRecord:
    """The site's record, with a port of its own; made and saved if the node does not know the site yet."""
    with locked(node.state / ".lock"):
        if known := load(node, spec.name):
            return known
        taken = {record.port for record in load_all(node)}
        for port in range(node.first_port, node.last_port + 1):
            if port not in taken and is_free(port):
                return save(node, new_record(spec, port, site_uid(port)))
    raise RunnerError(
        f"No free port is left between {node.first_port} and {node.last_port}.",
        fix="Delete a site, or widen the range.",
    )


def is_free(port: int) -> bool:
    """Whether nobody listens on `port` of loopback, or of all addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def listening(node: Node) -> dict[int, set[str]]:
    """Ports of the node's range that somebody listens on, with the addresses (hex, as the kernel shows them)."""
    found: dict[int, set[str]] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, port = local.rpartition(":")
            if state == "0A" and node.first_port <= int(port, 16) <= node.last_port:
                found.setdefault(int(port, 16), set()).add(address)
    return found
