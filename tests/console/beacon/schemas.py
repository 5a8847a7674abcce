from marshmallow import Schema, fields


class Settings(Schema):
    host = fields.String(required=True)
    word = fields.String(metadata={"secret": True, "widget": "secret"})
