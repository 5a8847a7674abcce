"""Identifiers: UUID version 7 (RFC 9562 §5.7), made in Python so that an id is known before the row is written."""

from __future__ import annotations

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """A new id. Ids made in different milliseconds sort by time, which keeps B-trees warm and lists in order."""
    millis = time.time_ns() // 1_000_000
    tail = int.from_bytes(os.urandom(10), "big")
    high = (tail >> 64) & 0x0FFF
    low = tail & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=(millis << 80) | (0x7000 | high) << 64 | 0x8000_0000_0000_0000 | low)


def parse_uuid(text: str) -> UUID | None:
    """The id written in `text`, or None: a malformed id in a URL is «not found», never an error of ours."""
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None
