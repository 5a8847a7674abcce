"""Lists by cursor: ids are UUIDv7, so «newest first after this id» is a range of the primary key's order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import Select

from chom_core.database import session
from chom_core.values.errors import Invalid
from chom_core.values.ids import parse_uuid

T = TypeVar("T")
DEFAULT, MOST = 50, 200


class Page(Struct, Generic[T], frozen=True):
    """One page of a list. `next` is the cursor of the page after it, None on the last."""

    items: Sequence[T]
    next: UUID | None


def asked() -> tuple[UUID | None, int]:
    """`?after=` and `?limit=` of the request, checked."""
    text = request.args.get("after", "")
    after = parse_uuid(text) if text else None
    if text and after is None:
        raise Invalid(fields={"after": [_("This is no cursor; take `next` of the page before.")]})
    limit = request.args.get("limit", str(DEFAULT))
    if not limit.isdecimal() or not 1 <= int(limit[:6]) <= MOST:
        raise Invalid(fields={"limit": [_("A whole number from 1 to %(most)s.", most=MOST)]})
    return after, int(limit)


def paginate(
    statement: Select[Any], id_column: Any, *, after: UUID | None = None, limit: int = DEFAULT
) -> Page[Any]:
    """Newest first, `limit` rows after the cursor. One query; one row more tells whether there is a next page."""
    if after is not None:
        statement = statement.where(id_column < after)
    found = session().scalars(statement.order_by(id_column.desc()).limit(limit + 1)).all()
    more = len(found) > limit
    items = found[:limit]
    return Page(items, items[-1].id if more else None)
