"""Identifiers: UUID version 7 (RFC 9562 §5.7), made in Python so that an id is known before the row is written."""

from __future__ import annotations

import os
import threading
import time
from secrets import randbits
from uuid import UUID

#: The last id's 48 bits of milliseconds and 74 random bits, without version and variant.
_last = 0
_lock = threading.RLock()  # a signal's handler that makes an id may interrupt another being made
# a process forked while another thread makes an id must not wait for ever for that thread, which it does not have
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def uuid7() -> UUID:
    """A new id, after every id made by this process before: B-trees stay warm, and «newest first» is by id.

    Within one millisecond, or where the clock was set back, the last id grows by a random step (RFC 9562 §6.2,
    method 2), so that the next id is no easier to guess than 62 random bits.
    """
    global _last
    chance = randbits(74)
    fresh = time.time_ns() // 1_000_000 << 74 | chance
    with _lock:
        _last = fresh = fresh if fresh >> 74 > _last >> 74 else _last + 1 + (chance >> 12)
    high, low = fresh >> 62, fresh & (1 << 62) - 1
    return UUID(int=high >> 12 << 80 | (0x7000 | high & 0x0FFF) << 64 | 0x8000_0000_0000_0000 | low)


def parse_uuid(text: str) -> UUID | None:
    """The id written in `text`, or None: a malformed id in a URL is «not found», never an error of ours."""
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None
