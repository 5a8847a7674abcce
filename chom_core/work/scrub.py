"""Error texts that may be stored and shown: what failed and where, without the values it failed with."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from sqlalchemy.exc import StatementError

LIMIT = 2000
_SECRETS = [
    (re.compile(r"(?<=://)[^/\s:@]*:[^@\s/]+(?=@)"), "***"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), r"\1 ***"),
    (re.compile(r"(?i)([\w-]*(?:password|passwd|secret|token|api[_-]?key|authorization)[\"']?\s*[=:]\s*)"
                r"(\"[^\"]*\"|'[^']*'|[^\s,;&)}\]]+)"), r"\1***"),
    (re.compile(r"\b(?:sk|rk|pk|whsec)_[\w]{6,}"), "***"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.S), "***"),
]  # fmt: skip


def clean(text: str, limit: int = LIMIT) -> str:
    """`text` with what looks like a secret replaced by `***`, at most `limit` characters."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text[:limit]


def describe(error: BaseException) -> str:
    """One line for the error and one for each of the last three frames of our own and of plugins."""
    cause: BaseException = error
    if isinstance(error, StatementError) and error.orig is not None:
        cause = error.orig  # the wrapper's text carries the statement's parameters
    said = str(cause).split("\nDETAIL:")[0].strip()  # Postgres puts the row's values into DETAIL
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f.filename][-3:]
    places = [f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]
    return clean("\n".join([f"{type(cause).__name__}: {said}", *places]))
