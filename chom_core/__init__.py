"""CHOM's kernel: people, money, servers, messages and looks. Every feature is a plugin on its hooks."""

from __future__ import annotations

__version__ = "0.1.0"
