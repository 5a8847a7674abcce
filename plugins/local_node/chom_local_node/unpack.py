"""Unpack archives that might be hostile, member by member."""

from __future__ import annotations

import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from .types import RunnerError


def unzip(archive: Path, folder: Path, *, most_files: int = 20_000, most_bytes: int = 500_000_000) -> int:
    """Unpack `archive` into `folder`, over what is there. Returns the number of files.

    Refuses absolute names, `..`, backslashes, links and special files, members that land on a link, and archives that
    unpack to more than `most_files` or `most_bytes`; nothing is written before all names are known to be good.
    """
    with zipfile.ZipFile(archive) as bundle:
        members = [info for info in bundle.infolist() if not info.is_dir()]
        if len(members) > most_files or sum(info.file_size for info in members) > most_bytes:
            raise RunnerError(f"{archive.name} unpacks to more than allowed.", fix="Fetch the runtime again.")
        targets = [folder / _safe(info) for info in members]
        root = folder.resolve()
        for info, target in zip(members, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_symlink() or not target.parent.resolve().is_relative_to(root):
                raise RunnerError(f"{archive.name} writes through a link: {info.filename}")
            with bundle.open(info) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)  # zipfile stops at the declared size and checks the CRC
    return len(members)


def _safe(info: zipfile.ZipInfo) -> PurePosixPath:
    """The member's path, if it stays inside the folder and is a regular file."""
    path = PurePosixPath(info.filename)
    kind = stat.S_IFMT(info.external_attr >> 16)
    odd_name = path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename
    if odd_name or kind not in (0, stat.S_IFREG):
        raise RunnerError(f"The archive holds a file that leads outside: {info.filename!r}.")
    return path
