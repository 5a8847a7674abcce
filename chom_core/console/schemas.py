"""What the API of features takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


class ConditionSchema(Schema):
    """One of the conditions that must hold, in words."""

    name = fields.String(
        metadata={"description": "installed, granted, entitled, owner, requires, breaker, …"}
    )
    holds = fields.Boolean()
    words = fields.String()


class FeatureSchema(Schema):
    """A feature in the key's organisation."""

    name = fields.String()
    title = fields.String()
    description = fields.String()
    on = fields.Boolean(metadata={"description": "Whether it is effectively on"})
    why = fields.String(metadata={"description": "Why, in words: «On: in Pro»"})
    own_switch = fields.Boolean(metadata={"description": "Where the organisation's own switch stands"})
    switchable = fields.Boolean(metadata={"description": "Whether that switch is all that decides"})
    scopes = fields.Dict(keys=fields.String(), values=fields.String())
    conditions = fields.List(fields.Nested(ConditionSchema))


class FeatureSwitchSchema(Schema):
    """The organisation's own switch. Switching on must allow every scope that the feature asks for."""

    on = fields.Boolean(required=True)
    note = fields.String(load_default="", validate=validate.Length(max=200))
    scopes = fields.List(fields.String(), load_default=list, validate=validate.Length(max=100))
