from marshmallow import Schema, fields, validate


class Settings(Schema):
    colour = fields.String(required=True, validate=validate.Length(min=3, max=20))
    lamps = fields.Integer(load_default=3, validate=validate.Range(min=1, max=9))
    api_word = fields.String(metadata={"secret": True, "widget": "secret"})
