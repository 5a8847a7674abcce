"""One line of the doctor's report."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Level = Literal["ok", "warn", "fail"]


class Finding(Struct, frozen=True):
    """What was looked at, how it is, and what to do about it (empty where it is well)."""

    name: str
    level: Level
    said: str
    fix: str = ""


def ok(name: str, said: str) -> Finding:
    return Finding(name, "ok", said)


def warn(name: str, said: str, fix: str = "") -> Finding:
    return Finding(name, "warn", said, fix)


def fail(name: str, said: str, fix: str = "") -> Finding:
    return Finding(name, "fail", said, fix)
