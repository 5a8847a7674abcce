"""The sandbox's events and their delivery: signed, by jobs; late, doubled, shuffled or beside forged ones on demand."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chom_sdk import clock, session, uuid7
from chom_sdk.work import enqueue
from chom_stripe.models import SandboxObject
from chom_stripe.sandbox import faults, store
from chom_stripe.sandbox.routing import on
from chom_stripe.sandbox.store import Body

DELIVER = "stripe.sandbox_deliver"
#: How late a late webhook is; Stripe itself tries for three days.
LATE = timedelta(hours=6)
_SECRET = "webhook_secret"  # noqa: S105 (a kind of object)


def emit(kind: str, of: Body) -> Body:
    """An event of this object as it is now, and its delivery, in the call's transaction."""
    made = store.new(
        "evt",
        "event",
        {"type": kind, "api_version": "sandbox", "data": {"object": dict(of)}, "pending_webhooks": 1},
    )
    if not faults.take("silent"):
        for forged, wait in _plan():
            enqueue(
                DELIVER,
                {"event": made["id"], "forged": forged},
                due_at=clock.machine() + wait if wait else None,
            )
    return made


def _plan() -> list[tuple[bool, timedelta | None]]:
    """(forged, wait) of each delivery of one event."""
    wait = LATE if faults.take("late") else None
    if faults.take("shuffled"):
        wait = timedelta(seconds=random.uniform(1, 60))  # noqa: S311 (disorder, no secret)
    plan: list[tuple[bool, timedelta | None]] = [(False, wait)] * (2 if faults.take("doubled") else 1)
    return [(True, None), *plan] if faults.take("forged") else plan


def signed(event_id: str, *, forged: bool = False) -> tuple[bytes, str]:
    """Body and `Stripe-Signature` of a delivery. A forged one says something else under a key that is not ours."""
    event = store.get(event_id, "event")
    key = secret()
    if forged:
        event, key = {**event, "id": f"evt_{secrets.token_hex(12)}"}, "whsec_" + secrets.token_hex(16)
    body = json.dumps(event)
    stamp = int(clock.machine().timestamp())
    digest = hmac.new(key.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return body.encode(), f"t={stamp},v1={digest}"


def secret() -> str:
    """The signing secret of this sandbox, made when first needed."""
    find = select(SandboxObject).where(SandboxObject.reference == _SECRET)
    row = session().scalar(find)
    if row is None:
        fresh = insert(SandboxObject).values(
            id=uuid7(), created_at=clock.machine(), reference=_SECRET, kind=_SECRET, at=clock.machine(), parent="",
            body={"secret": "whsec_" + secrets.token_hex(16)},
        )  # fmt: skip
        session().execute(fresh.on_conflict_do_nothing(index_elements=["reference"]))
        row = session().scalars(find).one()
    return str(row.body["secret"])


@on("get", "/v1/events")
def listing(data: Body) -> tuple[int, Body]:
    return 200, store.listed("event", "/v1/events", data)


@on("get", "/v1/events/{reference}")
def read(data: Body, reference: str) -> tuple[int, Body]:
    return 200, store.get(reference, "event")
