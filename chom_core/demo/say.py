"""What the demo tells its terminal: quiet lines, each with the seconds since the start."""

from __future__ import annotations

import sys
import time

_begun = time.monotonic()


def seconds() -> float:
    """Seconds since this process began to talk."""
    return time.monotonic() - _begun


def say(text: str, took: float | None = None) -> None:
    """One line; `took` seconds stand behind it."""
    behind = f"  ({took:.1f} s)" if took is not None else ""
    print(f"{seconds():6.1f} s  {text}{behind}", flush=True)


def plain(text: str = "") -> None:
    """A line without the seconds."""
    print(text, flush=True)


def complain(text: str) -> None:
    """A line to standard error."""
    print(text, file=sys.stderr, flush=True)
