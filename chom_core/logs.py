"""Logs: one JSON object a line, from CHOM and from every library alike, with who, where and for whom; never a secret.

Keys of each line: `time` (RFC 3339, UTC), `level`, `event`, `logger`, and as far as they are known `request`,
`tenant`, `plugin`, `job`, `person` (ids, from context variables). Lines go to standard error.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from flask import Flask, Response, g, request
from structlog.types import EventDict, Processor

from chom_core import config
from chom_core.work.scrub import clean

#: What is written instead of a secret.
HIDDEN = "***"
LONGEST = 16_000
_access = structlog.get_logger("chom.access")
_SECRET_KEY = re.compile(
    r"passw|secret|token|authori[sz]|cookie|api_?key|private_?key|credential|csrf|\bcvc\b|session_key", re.I
)
#: API keys (`chom_1a2b3c4d_…`), Fernet tokens and keys of cards' gateways, wherever they stand in a text.
_SECRET_TEXT = re.compile(r"\bchom_[0-9a-f]{8}_[0-9a-f]{16,}|\bgAAAAA[\w-]{40,}={0,2}")
#: SQLAlchemy and Postgres show the values a statement failed with.
_VALUES = re.compile(r"^\[(?:parameters|SQL parameters): .*?\]$|^DETAIL: .*$", re.M | re.S)
#: The same for cookies and form tokens, which end at the line's end or a quote.
_SECRET_PAIR = re.compile(r"(?i)((?:set-)?cookie|csrf[\w-]*)([\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\n\"']+)")
#: Ids, methods, most paths. None of the patterns, here or in `scrub`, is found in so short a text of these letters
#: alone: each wants a blank, a colon, `=`, `_` or more length. They were half the price of a line.
_ORDINARY = re.compile(r"[A-Za-z0-9./<>-]{0,40}")
_NAMES = {
    "job_id": "job",
    "job_kind": "kind",
    "tenant_id": "tenant",
    "person_id": "person",
    "request_id": "request",
}
_literals: tuple[str, ...] = ()


class _Handler(logging.Handler):
    """Writes to what standard error is at that moment: whoever redirects it later is followed."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)


def configure(settings: config.Settings) -> None:
    """Send every log of this process to standard error, in the form `settings.log_format` asks for.

    `json` is for machines; `human` is short and quiet, for the demo: CHOM's own lines, and warnings of others.
    """
    global _literals
    _literals = tuple(sorted(_secrets_of(settings), key=len, reverse=True))
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _rename,
        _exception,
        redact,
    ]
    human = settings.log_format == "human"
    last: Processor = _human if human else structlog.processors.JSONRenderer(serializer=_json)
    handler = _Handler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING if human else logging.INFO)
    for noisy in ("rq", "asyncssh", "alembic", "httpx", "werkzeug"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def init_app(app: Flask) -> None:
    """Write a line per request. Register it first: Flask runs it last, when the answer stands."""

    @app.after_request
    def access(response: Response) -> Response:
        _access.info(
            "request",
            method=request.method,
            path=template(),
            status=response.status_code,
            ms=round((perf_counter() - g.started) * 1000, 1) if "started" in g else None,
        )
        return response


def template() -> str:
    """The path of the current request as its route declares it (`/verify/<token>`): paths carry tokens and names."""
    return request.url_rule.rule if request.url_rule is not None else "(no route)"


def redact(logger: Any, method: str, event: EventDict) -> EventDict:
    """Take out secrets: values of keys that look secret, and what looks secret, or is known to be, in any text."""
    return {key: _hide(key, value) for key, value in event.items()}


def _hide(key: str, value: Any, depth: int = 0) -> Any:
    if key in ("_record", "_from_structlog") or value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_KEY.search(key):
        return HIDDEN
    if isinstance(value, Mapping) and depth < 4:
        return {str(name): _hide(str(name), inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < 4:
        return [_hide("", inner, depth + 1) for inner in value]
    return plain(value if isinstance(value, str) else str(value))


def plain(text: str) -> str:
    """`text` without what looks like a secret, and without the secrets this process was given."""
    for literal in _literals:
        text = text.replace(literal, HIDDEN)
    if _ORDINARY.fullmatch(text):
        return text
    return clean(_SECRET_PAIR.sub(rf"\1\2{HIDDEN}", _SECRET_TEXT.sub(HIDDEN, text)), LONGEST)


def _secrets_of(settings: config.Settings) -> set[str]:
    """The settings' own secrets, literally: whatever prints them, they do not get out."""
    urls = (settings.database_url, settings.redis_url, settings.smtp_url)
    found = {*settings.secret_keys, settings.metrics_token, *(urlsplit(url).password or "" for url in urls)}
    return {secret for secret in found if len(secret) >= 6}


def _rename(logger: Any, method: str, event: EventDict) -> EventDict:
    """One name per id, whoever bound it; empty ones fall."""
    found: MutableMapping[str, Any] = {}
    for key, value in event.items():
        if key in ("message", "asctime") or (value is None and key != "exc_info"):
            continue  # what a record carries besides its event says the same again
        name = _NAMES.get(key, key)
        if value != "" or key not in _NAMES:
            found[name] = value
    return found


def _exception(logger: Any, method: str, event: EventDict) -> EventDict:
    """A traceback as text, without the values that a statement failed with."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    if isinstance(found, tuple):
        found = found[1]
    if isinstance(found, BaseException):
        event["exception"] = _VALUES.sub("", "".join(traceback.format_exception(found))).strip()
    return event


def _json(value: Any, **options: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()


_order = {"event", "level", "time", "logger", "exception"}


def _human(logger: Any, method: str, event: EventDict) -> str:
    """`14:05:31 warning  event  key=value …`."""
    extra = " ".join(f"{key}={value}" for key, value in event.items() if key not in _order)
    line = f"{str(event.get('time', ''))[11:19]} {event.get('level', ''):8} {event.get('event', '')}  {extra}".rstrip()
    return f"{line}\n{event['exception']}" if event.get("exception") else line
