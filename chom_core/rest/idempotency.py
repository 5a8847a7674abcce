"""`Idempotency-Key` (IETF draft, and Stripe's habit): the same key and body answer the same, and act once.

The key's row is written in the transaction of the effect. A second request with the key waits for the first at the
unique index; whichever way the first ends, the two can never both act.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Response, g, request
from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from chom_core.database import acting_as, clock, session
from chom_core.rest.models import IdempotencyKey
from chom_core.rest.request import organisation_id
from chom_core.values.errors import Conflict, Invalid
from chom_core.values.ids import uuid7

HEADER = "Idempotency-Key"


def once(act: Callable[[], Response]) -> Response:
    """Run `act` unless this request's key has been answered before. Requests without a key just run."""
    key = request.headers.get(HEADER, "")
    if not key:
        return act()
    if len(key) > 255 or not key.isprintable():
        raise Invalid(_("%(header)s takes up to 255 printable characters.", header=HEADER))
    tenant_id, digest = organisation_id(), _hash()
    with acting_as("core"):
        row = insert(IdempotencyKey).values(
            id=uuid7(), tenant_id=tenant_id, key=key, request_hash=digest, created_at=clock.machine()
        )
        done = row.on_conflict_do_nothing().returning(IdempotencyKey.id)
        mine = session().scalar(done)
    if mine is None:
        return _replay(key, digest)
    answer = act()
    if answer.status_code < 400:
        with acting_as("core"):
            values = {"status": answer.status_code, "body": g.get("replay_body") or answer.get_data()}
            session().execute(update(IdempotencyKey).where(IdempotencyKey.id == mine).values(values))
    return answer


def key_digest() -> str:
    """This request's key as 64 characters, empty without one: for what an effect in another unit of work is named by,
    since that is kept before the answer of this one is.
    """
    key = request.headers.get(HEADER, "")
    return hashlib.sha256(key.encode()).hexdigest() if key else ""


def _replay(key: str, digest: str) -> Response:
    found = session().scalar(select(IdempotencyKey).where(IdempotencyKey.key == key))
    if found is None or found.status is None:
        raise Conflict(
            _("A request with this key is still running."), fix=_("Wait a moment and send it again.")
        )
    if found.request_hash != digest:
        raise Invalid(_("This key was used with another request."), fix=_("Use a new key for a new request."))
    answer = Response(found.body or b"", found.status, mimetype="application/json")
    answer.headers["Idempotent-Replay"] = "true"
    return answer


def _hash() -> str:
    parts = (request.method.encode(), request.full_path.encode(), request.get_data())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
