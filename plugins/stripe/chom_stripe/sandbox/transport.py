"""The sandbox as the SDK's HTTP client: no port, no network, and the same code above it as with real keys."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import stripe
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from chom_sdk import clock, session, transaction, uuid7
from chom_stripe.models import SandboxCall
from chom_stripe.sandbox import (
    balances,
    conform,
    connect,
    customers,
    disputes,
    events,
    faults,
    intents,
    refunds,
    setups,
    store,
)
from chom_stripe.sandbox.routing import HANDLERS, Handler
from chom_stripe.sandbox.store import Refusal

#: After so long Stripe may have forgotten an idempotency key.
FORGOTTEN = timedelta(hours=24)
_PARTS = (balances, connect, customers, disputes, events, intents, refunds, setups)
Answer = tuple[str, int, dict[str, str]]


class Transport(stripe.HTTPClient):
    """Answers as Stripe would. Holds no state: that is in the database."""

    name = "chom-sandbox"

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *_: Any,
        **__: Any,
    ) -> Answer:
        """One call: (body, status, headers)."""
        parts = urllib.parse.urlsplit(url)
        text = post_data if method == "post" else parts.query
        data = nested(urllib.parse.parse_qsl(text or "", keep_blank_values=True))
        key = dict(headers or {}).get("Idempotency-Key", "") if method == "post" else ""
        token = store.at.set(clock.now())
        try:
            with transaction():
                early = faults.before(method)
                lost = faults.after(method)
            if early is not None:
                return _refused(early)
            answer = _answered(method, parts.path, data, key)
        finally:
            store.at.reset(token)
        if lost:
            lost_words = "The answer was lost on its way (a fault of the sandbox)."
            raise stripe.APIConnectionError(lost_words, should_retry=True)  # type: ignore[no-untyped-call]
        return answer

    def _sleep_time_seconds(self, num_retries: int, response: Any = None) -> float:
        """The SDK's retries need not wait for anybody here."""
        return 0.0

    def close(self) -> None:
        """Nothing is open."""


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """`items[0][price]=p` and its like as dictionaries and lists."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        *path, last = re.findall(r"[^\[\]]+", name)
        place = root
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    found = _lists(root)
    return found if isinstance(found, dict) else {}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(one) for name, one in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def _answered(method: str, path: str, data: dict[str, Any], key: str) -> Answer:
    """Check, act and remember in one transaction. What was refused in form is not remembered, as with Stripe."""
    wrong = conform.problems(method, path, data)
    handler, arguments = _handler(method, path)
    if wrong or handler is None:
        missing = wrong and wrong[0].startswith("Unrecognized")
        message = "; ".join(wrong) or f"The sandbox does not do this: {method} {path}"
        return _refused(Refusal(404 if missing else 400, message))
    try:
        with transaction():
            if key and (known := _claim(key, {"path": path, "data": data})) is not None:
                return known
            status, body = handler(data, **arguments)
            text = json.dumps(body)
            if key:
                call = session().scalars(select(SandboxCall).where(SandboxCall.key == key)).one()
                call.status, call.answer = status, text
            return text, status, {"Request-Id": f"req_{uuid7().hex}"}
    except Refusal as refusal:
        return _refused(refusal)


def _claim(key: str, asked: dict[str, Any]) -> Answer | None:
    """The first answer under this key, or None where the key is ours to use. A second caller waits for the first."""
    now = store.at.get()
    session().execute(delete(SandboxCall).where(SandboxCall.key == key, SandboxCall.at < now - FORGOTTEN))
    row = insert(SandboxCall).values(
        id=uuid7(), created_at=clock.machine(), key=key, asked=asked, at=now, status=0, answer=""
    )
    made = session().scalar(row.on_conflict_do_nothing(index_elements=["key"]).returning(SandboxCall.id))
    if made is not None:
        return None
    call = session().scalars(select(SandboxCall).where(SandboxCall.key == key)).one()
    if call.asked != asked:
        message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        raise Refusal(400, message, kind="idempotency_error")
    return call.answer, call.status, {"Idempotent-Replayed": "true"}


def _handler(method: str, path: str) -> tuple[Handler | None, dict[str, str]]:
    for known, pattern, handler in HANDLERS:
        if known == method and (found := pattern.fullmatch(path)):
            return handler, found.groupdict()
    return None, {}


def _refused(refusal: Refusal) -> Answer:
    return json.dumps({"error": refusal.error}), refusal.status, {"Request-Id": f"req_{uuid7().hex}"}
