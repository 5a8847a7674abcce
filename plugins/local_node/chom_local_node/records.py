"""What this node has been asked to run: one JSON file per site, written before the thing it describes exists."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .types import Kind, RunnerError, SiteSpec

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Node:
    """The folders of this node. `root` must be a folder that the sites' own users can walk into (see `usable_root`)."""

    root: Path
    first_port: int = 21000
    last_port: int = 21999
    runtime_folder: Path | None = None

    @property
    def runtime(self) -> Path:
        return self.runtime_folder or self.root / "runtime"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def sites(self) -> Path:
        return self.root / "sites"

    def site(self, name: str) -> Path:
        """Folder of one site: public (its files), private (what only we write), tmp, log."""
        return self.sites / valid_name(name)

    def record_path(self, name: str) -> Path:
        return self.state / f"{valid_name(name)}.json"

    def prepare(self) -> None:
        """Make the folders; sites' users may walk through, only we may list."""
        for folder, mode in ((self.root, 0o711), (self.sites, 0o711), (self.state, 0o700)):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)


@dataclass(frozen=True)
class SiteRecord:
    """What the node knows of one site. `pid` and `started` (clock ticks since boot) name its process, together."""

    name: str
    kind: Kind
    title: str
    port: int
    uid: int
    marker: str
    secret: str = field(repr=False)
    admin_user: str = ""
    installed: bool = False
    pid: int = 0
    started: int = 0

    @property
    def host(self) -> str:
        return f"{self.name}.localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"


def valid_name(name: str) -> str:
    """`name` if it is one lower-case DNS label, else RunnerError. Every path is built from names that passed here."""
    if not _NAME.fullmatch(name):
        raise RunnerError(
            f"“{name}” cannot be a site's name.", fix="Use a–z, 0–9 and hyphens, at most 63 characters."
        )
    return name


def new_record(spec: SiteSpec, port: int, uid: int) -> SiteRecord:
    """A record with the site's marker and a fresh secret, which signs login links."""
    return SiteRecord(
        name=valid_name(spec.name), kind=Kind(spec.kind), title=spec.title, port=port, uid=uid,
        marker=spec.marker, secret=secrets.token_hex(32), admin_user=spec.admin_user,
    )  # fmt: skip


def load(node: Node, name: str) -> SiteRecord | None:
    """The record of `name`, or None if this node knows no such site."""
    try:
        data = json.loads(node.record_path(name).read_text())
    except FileNotFoundError:
        return None
    return SiteRecord(**{**data, "kind": Kind(data["kind"])})


def must_load(node: Node, name: str) -> SiteRecord:
    """The record of `name`; RunnerError if there is none."""
    record = load(node, name)
    if record is None:
        raise RunnerError(f"This node has no site “{name}”.", fix="Create it first.")
    return record


def save(node: Node, record: SiteRecord) -> SiteRecord:
    """Write the record durably: temp file, fsync, rename."""
    write_atomic(node.record_path(record.name), json.dumps(asdict(record), indent=1))
    return record


def forget(node: Node, name: str) -> None:
    """Remove the record, and with it the site's claim to its port."""
    node.record_path(name).unlink(missing_ok=True)


def load_all(node: Node) -> list[SiteRecord]:
    """All records, by name."""
    found = (load(node, path.stem) for path in sorted(node.state.glob("*.json")))
    return [record for record in found if record is not None]


def write_atomic(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace `path` by `text`, whole or not at all."""
    temp = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temp.replace(path)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold an exclusive lock on `path` (made if need be); yields its descriptor. A dead holder frees it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
