"""The named steps of the work floor. In production a step costs one call; the crash harness dies at them.

Steps: `wake:*`, `claim:*`, `run:*`, `outside:*`, `fail:*`, `sweep:*`, `schedule:*`; the names stand at their call.
"""

from __future__ import annotations

from collections.abc import Callable


def _pass(step: str) -> None:
    """Nothing happens here."""


#: Called as `checkpoint.reach("run:begun")`; tests replace it.
reach: Callable[[str], None] = _pass
