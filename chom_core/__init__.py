"""CHOM's kernel: people, money, servers, messages and looks. Every feature is a plugin on its hooks."""

from __future__ import annotations

import sys

__version__ = "0.1.0"


def _structlog_without_rich() -> None:
    """structlog loads rich and pygments wherever they are installed, for coloured tracebacks: 70 modules, 0.15 s of
    each boot and some 10 MB of each process, for logs that are JSON."""
    if "rich" in sys.modules or "structlog" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]


_structlog_without_rich()
