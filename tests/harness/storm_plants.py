"""The classics, planted in the handlers of a storm: each must be seen."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from typing import Any

from chom_stripe import webhooks

from chom_core.database import restart


def believe_everybody() -> None:
    """Signatures are not checked."""
    webhooks.verify = lambda body, signature, secret: None


def note_apart() -> None:
    """The event is noted in a transaction of its own: who dies before the job is written never hears it."""
    enqueue = webhooks.enqueue

    def later(*args: Any, **how: Any) -> Any:
        restart()
        if random.random() < 0.5:
            os.kill(os.getpid(), signal.SIGKILL)
        return enqueue(*args, **how)

    webhooks.enqueue = later


PLANTS: dict[str, Callable[[], None]] = {"believe everybody": believe_everybody, "note apart": note_apart}
