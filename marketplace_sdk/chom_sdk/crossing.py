"""How a plugin's call becomes the core's, and back: each crossing flushes first, then changes who acts."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from chom_core.database import acting_as, session
from chom_core.database.actor import ForeignWrite, may_write

P = ParamSpec("P")
T = TypeVar("T")


def verb(function: Callable[P, T]) -> Callable[P, T]:
    """`function` runs as the core. What the plugin left unflushed is written before, as the plugin's own doing.

    A hook that only reads cannot launder a write through a verb: ForeignWrite.
    """

    @wraps(function)
    def crossing(*args: P.args, **kwargs: P.kwargs) -> T:
        if not may_write():
            raise ForeignWrite(f"a hook that only reads called the verb {function.__name__}")
        session().flush()
        with acting_as("core"):
            answer = function(*args, **kwargs)
            session().flush()
        return answer

    return crossing


def reading(function: Callable[P, T]) -> Callable[P, T]:
    """`function` reads core data for a plugin, and cannot write."""

    @wraps(function)
    def crossing(*args: P.args, **kwargs: P.kwargs) -> T:
        session().flush()
        with acting_as("core", writes=False):
            return function(*args, **kwargs)

    return crossing
