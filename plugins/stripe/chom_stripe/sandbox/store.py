"""The sandbox's objects: JSON in Stripe's shape, one row each. Every function works in the call's transaction."""

from __future__ import annotations

import secrets
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from sqlalchemy import select

from chom_sdk import session, uuid7
from chom_stripe.models import SandboxObject

Body = dict[str, Any]
#: Business time of the call, taken before the sandbox opened its own transaction.
at: ContextVar[datetime] = ContextVar("chom_stripe_at")


class Refusal(Exception):
    """An answer that changes nothing: (HTTP status, error type, code, message)."""

    def __init__(
        self, status: int, message: str, *, kind: str = "invalid_request_error", code: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message, **({"code": code} if code else {})}


def epoch() -> int:
    """Now, in Stripe's whole seconds."""
    return int(at.get().timestamp())


def new(prefix: str, kind: str, body: Body, parent: str = "", *, named: str = "") -> Body:
    """A new object with an id that nobody can guess, or one that is `named` after another's."""
    reference = f"{prefix}_{named or secrets.token_hex(12)}"
    made = {"id": reference, "object": kind, "created": epoch(), "livemode": False, **body}
    session().add(
        SandboxObject(id=uuid7(), reference=reference, kind=kind, parent=parent, at=at.get(), body=made)
    )
    session().flush()
    return made


def get(reference: str, kind: str, *, lock: bool = False) -> Body:
    """The object, or Stripe's «No such …»."""
    query = select(SandboxObject).where(SandboxObject.reference == reference, SandboxObject.kind == kind)
    if lock:
        query = query.with_for_update()
    row = session().scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise Refusal(404, f"No such {kind}: '{reference}'", code="resource_missing")
    return dict(row.body)


def save(body: Body) -> Body:
    """Write an object back."""
    row = session().scalars(select(SandboxObject).where(SandboxObject.reference == body["id"])).one()
    row.body = dict(body)
    session().flush()
    return body


def listed(kind: str, path: str, query: Body, parent: str = "", **wanted: str) -> Body:
    """A page of objects as Stripe lists them: newest first, `starting_after`, `limit`, `created[gte|lt]`."""
    rows = select(SandboxObject).where(SandboxObject.kind == kind).order_by(SandboxObject.id.desc())
    if parent:
        rows = rows.where(SandboxObject.parent == parent)
    if query.get("starting_after"):
        last = session().scalar(
            select(SandboxObject.id).where(SandboxObject.reference == query["starting_after"])
        )
        rows = rows.where(SandboxObject.id < last)
    for name, value in wanted.items():
        rows = rows.where(SandboxObject.body[name].astext == value)
    created = query.get("created")
    since, until = (
        (int(created.get("gte", 0)), int(created.get("lt", 2**40)))
        if isinstance(created, dict)
        else (0, 2**40)
    )
    limit = int(query.get("limit", 10))
    found = [row.body for row in session().scalars(rows) if since <= row.body["created"] < until]
    return {"object": "list", "url": path, "has_more": len(found) > limit, "data": found[:limit]}


def number(data: Body, name: str) -> int | None:
    """A whole number of the request."""
    return int(data[name]) if data.get(name) not in (None, "") else None
