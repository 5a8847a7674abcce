"""Who a site's process runs as: its own high uid where CHOM is root, CHOM's own user elsewhere."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from .types import RunnerError

# 1879048192–2147483647 is used by nobody (systemd's "Users, Groups, UIDs and GIDs"); the port makes it the site's own.
_FIRST_UID = 1_900_000_000
_NOBODY = 65534


def site_uid(port: int) -> int:
    """The uid (and gid) for the site on `port`: its own, or `nobody` where few are mapped; 0 = stay who we are."""
    if os.geteuid() != 0:
        return 0
    for uid in (_FIRST_UID + port, _NOBODY):
        if _is_mapped(uid):
            return uid
    raise RunnerError(
        "No unprivileged user is available here.", fix="Run CHOM as an ordinary user instead of root."
    )


def _is_mapped(uid: int) -> bool:
    ranges = (map(int, line.split()) for line in Path("/proc/self/uid_map").read_text().splitlines())
    return any(first <= uid < first + count for first, _outside, count in ranges)


def usable_root(preferred: Path) -> Path:
    """`preferred`, or one under /var/lib where root chose a folder that other users cannot enter (/root, say)."""
    preferred = preferred.absolute()
    if os.geteuid() != 0 or all(_can_enter(folder) for folder in preferred.parents if folder.exists()):
        return preferred
    return Path("/var/lib/chom-local-node") / hashlib.sha256(str(preferred).encode()).hexdigest()[:12]


def _can_enter(folder: Path) -> bool:
    return bool(folder.stat().st_mode & 0o001)


def give(path: Path, uid: int) -> None:
    """Make `path` and everything in it the property of `uid`, links themselves and not what they point to."""
    if not uid:
        return
    os.chown(path, uid, uid, follow_symlinks=False)
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            os.chown(Path(folder, name), uid, uid, follow_symlinks=False)
