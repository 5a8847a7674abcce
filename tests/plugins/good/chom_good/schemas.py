"""What may be sent, and the settings."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


class NoteIn(Schema):
    """A note as somebody writes it."""

    text = fields.Str(required=True, validate=validate.Length(1, 200), metadata={"label": "Text"})


class NoteOut(NoteIn):
    """A note as it is answered."""

    id = fields.UUID()
    seen = fields.Int()


class NotePage(Schema):
    """A page of notes."""

    items = fields.List(fields.Nested(NoteOut))
    next = fields.UUID(allow_none=True)


class GoodSettings(Schema):
    """One of each sort of setting: plain, secret, list."""

    greeting = fields.Str(
        load_default="Hello", validate=validate.Length(1, 60), metadata={"label": "Greeting"}
    )
    token = fields.Str(metadata={"label": "Token", "secret": True})
    refuse = fields.List(
        fields.Str(), load_default=list, metadata={"label": "Names nobody may order", "widget": "lines"}
    )


class BoxForm(Schema):
    """The order's fields of the kind of service."""

    colour = fields.Str(load_default="blue", metadata={"label": "Colour"})
