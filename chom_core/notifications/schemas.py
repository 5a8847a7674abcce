"""What the API says and takes of notifications."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from chom_core.values.notifications import Category


class NotificationSchema(Schema):
    """A message of the inbox."""

    id = fields.UUID()
    type = fields.String(metadata={"description": "What happened, like `service.active`."})
    category = fields.String(validate=validate.OneOf([str(one) for one in Category]))
    title = fields.String()
    body = fields.String()
    link = fields.String(
        metadata={"description": "A path of the panel; empty where there is nothing to open."}
    )
    data = fields.Dict()
    created_at = fields.DateTime()
    read_at = fields.DateTime(allow_none=True)


class NotificationPageSchema(Schema):
    """A page of the inbox, newest first."""

    items = fields.List(fields.Nested(NotificationSchema))
    next = fields.UUID(allow_none=True)


class InboxQuerySchema(Schema):
    """Which part of the inbox; `after` and `limit` page it."""

    category = fields.String(load_default="", validate=validate.OneOf(["", *[str(one) for one in Category]]))
    unread = fields.Boolean(load_default=False)
    after = fields.UUID()
    limit = fields.Integer()


class MarkSchema(Schema):
    """Which messages to mark; without `ids`, the whole inbox (read only)."""

    ids = fields.List(fields.UUID(), load_default=None, allow_none=True, validate=validate.Length(max=200))
    read = fields.Boolean(load_default=True)


class MarkedSchema(Schema):
    """How many messages changed, and how many are unread now."""

    changed = fields.Integer()
    unread = fields.Integer()
