"""Values as the log keeps them: JSON, short, without secrets; and where the request came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from flask import g, has_request_context, request

_SECRET = re.compile(
    r"passw|secret|token|hash|private|api_?key|credential|authoriz|cookie|\bcvc\b|\bpan\b", re.I
)
HIDDEN = "•••"
_LONGEST = 2000


def plain(value: Any) -> Any:
    """`value` as JSON can hold it. Text longer than 2,000 characters is cut: the log is not a store."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return changes(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | bytearray | memoryview):
        return HIDDEN
    return text(str(value), _LONGEST)


def changes(values: Mapping[Any, Any]) -> dict[str, Any]:
    """A mapping for `before` or `after`. Callers leave secrets out; this is the second lock, by the key's name."""
    return {str(key): HIDDEN if _SECRET.search(str(key)) else plain(value) for key, value in values.items()}


def text(value: str, longest: int) -> str:
    """One column's text: cut, and without the NUL that Postgres cannot store."""
    return value.replace("\x00", "")[:longest]


def origin() -> dict[str, str]:
    """Request id and address of the current request; both empty in a job or a command."""
    if not has_request_context():
        return {"request_id": "", "ip": ""}
    return {"request_id": text(str(g.get("request_id", "")), 64), "ip": text(request.remote_addr or "", 45)}
