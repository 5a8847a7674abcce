"""Which function answers which call of the sandbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

#: A handler gets the request's data and the ids of its path, and answers (HTTP status, object).
Handler = Callable[..., tuple[int, dict[str, Any]]]
H = TypeVar("H", bound=Handler)
HANDLERS: list[tuple[str, re.Pattern[str], Handler]] = []


def on(method: str, path: str) -> Callable[[H], H]:
    """`@on("get", "/v1/refunds/{reference}")`"""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

    def register(handler: H) -> H:
        HANDLERS.append((method, pattern, handler))
        return handler

    return register
