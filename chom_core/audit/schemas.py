"""What the audit API answers and takes."""

from __future__ import annotations

from marshmallow import Schema, fields


class AuditQuerySchema(Schema):
    """Which entries to list."""

    action = fields.String(load_default="")
    subject_type = fields.String(load_default="")
    subject_id = fields.String(load_default="")
    since = fields.AwareDateTime(load_default=None)
    until = fields.AwareDateTime(load_default=None)


class AuditEntrySchema(Schema):
    """One entry of the log."""

    id = fields.UUID()
    at = fields.AwareDateTime()
    action = fields.String()
    actor = fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True))
    subject = fields.Dict(keys=fields.String(), values=fields.String())
    before = fields.Dict(allow_none=True)
    after = fields.Dict(allow_none=True)
    reason = fields.String()
    request_id = fields.String()
    ip = fields.String()


class AuditPageSchema(Schema):
    """A page of entries, the newest first; `next` goes into `?after=`."""

    items = fields.List(fields.Nested(AuditEntrySchema))
    next = fields.UUID(allow_none=True)
