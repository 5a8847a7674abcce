"""Which HTML input a marshmallow field becomes: widget, choices, limits, and how a Python value reads in it."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from marshmallow import fields, validate


class Choice(NamedTuple):
    """One of a field's choices; `about` explains it on a radio card."""

    value: str
    label: str
    about: str = ""


# The first class that fits wins, so the narrower stand before the wider.
_WIDGETS: tuple[tuple[type[fields.Field[Any]], str], ...] = (
    (fields.Boolean, "checkbox"),
    (fields.Email, "email"),
    (fields.Url, "url"),
    (fields.Enum, "select"),
    (fields.UUID, "text"),
    (fields.String, "text"),
    (fields.Number, "number"),
    (fields.NaiveDateTime, "datetime-local"),
    (fields.DateTime, "datetime-local"),
    (fields.Date, "date"),
    (fields.Time, "time"),
    (fields.IP, "text"),
)


def widget_of(spec: fields.Field[Any]) -> str:
    """The widget's name; a field class that no input can hold is a mistake in the schema, told at once."""
    chosen = spec.metadata.get("widget") or ("secret" if spec.metadata.get("secret") else "")
    if chosen:
        return str(chosen)
    if isinstance(spec, fields.List):
        return "checkboxes" if choices_of(spec) else "lines"
    for kind, widget in _WIDGETS:
        if isinstance(spec, kind):
            if widget in {"text", "number"} and choices_of(spec):
                return "select"
            return widget
    raise TypeError(f"{type(spec).__name__} «{spec.name}» has no HTML input: set metadata={{'widget': …}}")


def choices_of(spec: fields.Field[Any]) -> list[Choice]:
    """Choices from metadata, an Enum field, or a OneOf (ContainsOnly for lists) validator."""
    about = spec.metadata.get("about") or {}
    pairs = spec.metadata.get("choices")
    if pairs is None and isinstance(spec, fields.Enum):
        pairs = [
            (m.value if spec.by_value else m.name, m.name.replace("_", " ").capitalize()) for m in spec.enum
        ]
    if pairs is None:
        inner = [spec.inner] if isinstance(spec, fields.List) else []
        for validator in [v for one in [spec, *inner] for v in one.validators]:
            if isinstance(validator, validate.OneOf):
                labels = list(validator.labels) or [
                    str(c).replace("_", " ").capitalize() for c in validator.choices
                ]
                pairs = list(zip(validator.choices, labels, strict=False))
                break
    return [Choice(str(v), str(label), str(about.get(v, ""))) for v, label in pairs or ()]


def limits_of(spec: fields.Field[Any]) -> dict[str, object]:
    """minlength, maxlength, min, max and step, so that a browser helps before the server refuses."""
    found: dict[str, object] = {}
    for validator in spec.validators:
        if isinstance(validator, validate.Length) and isinstance(spec, fields.String):
            found |= {
                "minlength": validator.equal or validator.min,
                "maxlength": validator.equal or validator.max,
            }
        elif isinstance(validator, validate.Range) and isinstance(spec, fields.Number):
            found |= {"min": shown(validator.min), "max": shown(validator.max)}
    if isinstance(spec, fields.Integer):
        found |= {"step": 1, "inputmode": "numeric"}
    elif isinstance(spec, fields.Number):
        found |= {"step": "any", "inputmode": "decimal"}
    return {name: value for name, value in found.items() if value not in (None, "")}


def shown(value: Any) -> Any:
    """A Python value as an input's text. Lists keep their shape; True and False stay themselves."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return shown(value.value)
    if isinstance(value, list | tuple | set | frozenset):
        return [shown(one) for one in value]
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)
