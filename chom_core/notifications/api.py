"""The inbox over the API. A key reads the inbox of the person who made it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct

from chom_core.notifications import schemas, service
from chom_core.notifications.models import Notification
from chom_core.rest import ApiRoutes, Page, paginate
from chom_core.rest.paging import asked
from chom_core.values.errors import Invalid

api = ApiRoutes("notifications", __name__, prefix="/notifications")


class NotificationView(Struct, frozen=True):
    """A message as the API gives it."""

    id: UUID
    type: str
    category: str
    title: str
    body: str
    link: str
    data: dict[str, Any]
    created_at: datetime
    read_at: datetime | None


def _view(row: Notification) -> NotificationView:
    return NotificationView(
        row.id, row.type, row.category, row.title, row.body, row.link, row.data, row.created_at, row.read_at
    )


@api.get(
    "",
    access="viewer",
    scope="notifications:read",
    into=schemas.InboxQuerySchema,
    out=schemas.NotificationPageSchema,
)
def list_notifications(query: dict[str, Any]) -> Page[NotificationView]:
    """The inbox, newest first."""
    after, limit = asked()
    statement = service.inbox(category=query["category"], unread=query["unread"])
    page = paginate(statement, Notification.id, after=after, limit=limit)
    return Page([_view(row) for row in page.items], page.next)


@api.post(
    "/mark",
    access="viewer",
    scope="notifications:write",
    into=schemas.MarkSchema,
    out=schemas.MarkedSchema,
    status=200,
)
def mark_notifications(body: dict[str, Any]) -> dict[str, int]:
    """Mark messages read or unread."""
    if body["ids"] is None:
        if not body["read"]:
            raise Invalid(fields={"ids": [_("Name the messages to mark unread.")]})
        changed = service.mark_all_read()
    else:
        changed = service.mark_read(body["ids"]) if body["read"] else service.mark_unread(body["ids"])
    return {"changed": changed, "unread": service.unread_count()}
