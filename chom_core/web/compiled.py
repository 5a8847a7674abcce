"""Compiled templates, kept between processes as Python keeps its `.pyc`: the first page of a process is a fast one.

Compiling the four templates of the plainest page took longer than all else it does. They lie in the folder that Jinja
keeps per user in the temporary folder (mode 0700, and it refuses one that is somebody else's).
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket


class Compiled(FileSystemBytecodeCache):
    """What compiled a template is part of its checksum: a filter of the kit may have changed, its text not."""

    def __init__(self) -> None:
        super().__init__(pattern="chom_%s.cache")
        kit = sorted(Path(__file__).parent.glob("*.py"))
        self._stamp = " ".join(str(file.stat().st_mtime_ns) for file in kit)

    def get_source_checksum(self, source: str) -> str:
        return sha256(f"{self._stamp}|{source}".encode()).hexdigest()

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):  # a full disk is no reason to fail a page
            super().dump_bytecode(bucket)


def init_app(app: Flask) -> None:
    """Where there is no safe folder to keep them in, each process compiles its own."""
    with suppress(OSError, RuntimeError):
        app.jinja_env.bytecode_cache = Compiled()
