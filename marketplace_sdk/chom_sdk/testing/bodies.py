"""A valid value for a marshmallow schema: what tests send where they care for who calls, not for what is said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from marshmallow import Schema, fields, validate

from chom_core.database import clock
from chom_core.values.ids import uuid7


def body(schema: type[Schema] | Schema, text: str = "canary") -> dict[str, Any]:
    """JSON that `schema` takes: every required field, and `text` wherever words fit."""
    made = schema() if isinstance(schema, type) else schema
    return {
        item.data_key or name: value(item, text)
        for name, item in made.fields.items()
        if item.required and not item.dump_only
    }


def value(item: fields.Field[Any], text: str = "canary") -> Any:
    """One value that passes the field's own validators, as far as they say what they want."""
    rules = list(item.validators)
    for rule in rules:
        if isinstance(rule, validate.OneOf):
            return next(iter(rule.choices))
    if isinstance(item, fields.Nested):
        inner = body(item.schema, text)
        return [inner] if item.many else inner
    if isinstance(item, fields.List):
        return [value(item.inner, text)]
    if isinstance(item, fields.Boolean):
        return True
    if isinstance(item, fields.Number):
        return next((r.min for r in rules if isinstance(r, validate.Range) and r.min is not None), 1)
    if isinstance(item, fields.UUID):
        return str(uuid7())
    if isinstance(item, (fields.Mapping, fields.Dict)):
        return {}
    if isinstance(item, fields.DateTime):
        return (clock.machine() + timedelta(days=30)).isoformat()
    if isinstance(item, fields.Date):
        return (clock.machine() + timedelta(days=30)).date().isoformat()
    if isinstance(item, fields.Email):
        return f"{uuid7().hex}@chom.test"
    if isinstance(item, fields.Url):
        return "https://chom.test/"
    return _words(rules, text)


def _words(rules: list[Any], text: str) -> str:
    for rule in rules:
        if isinstance(rule, validate.Length):
            least, most = rule.min or 0, rule.equal or rule.max or len(text)
            text = text[:most].ljust(least, "x")
    return text
