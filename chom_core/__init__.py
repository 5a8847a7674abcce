"""CHOM's kernel: people, money, servers, messages and looks. Every feature is a plugin on its hooks."""

from __future__ import annotations

import sys

__version__ = "0.1.0"


def _structlog_without_colours() -> None:
    """structlog loads rich, pygments and colorama wherever they are installed, for coloured tracebacks: 75 modules,
    0.15 s of each boot and some 10 MB of each process, for logs that are JSON."""
    absent = {"rich", "colorama"} - sys.modules.keys()
    if "structlog" in sys.modules:
        return
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        import structlog  # noqa: F401
    finally:
        for name in absent:
            del sys.modules[name]


_structlog_without_colours()
