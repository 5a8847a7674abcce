"""What may be sent and what is answered; the same schemas draw the forms."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, ValidationError, fields, pre_load, validate, validates

from chom_sdk.ui import Pattern

COLOURS = ("#2563eb", "#0d9488", "#16a34a", "#ca8a04", "#ea580c", "#dc2626", "#db2777", "#7c3aed", "#475569")
ICONS = ("folder", "rocket", "flask", "briefcase", "shopping-cart", "building", "device-gamepad-2", "star")
_COLOUR = Pattern(r"#[0-9a-fA-F]{6}\Z", error=_l("A colour is # and six hexadecimal digits."))
MOST_TAGS = 10


class ProjectIn(Schema):
    """A project as somebody writes it."""

    name = fields.Str(
        required=True,
        validate=validate.Length(1, 60),
        metadata={"label": _l("Name"), "placeholder": _l("Production")},
    )
    description = fields.Str(
        load_default="", validate=validate.Length(max=200), metadata={"label": _l("In one sentence")}
    )
    colour = fields.Str(
        load_default=COLOURS[0], validate=_COLOUR, metadata={"label": _l("Colour"), "widget": "colour"}
    )
    icon = fields.Str(load_default=ICONS[0], validate=validate.OneOf(ICONS), metadata={"label": _l("Icon")})
    tags = fields.List(
        fields.Str(validate=validate.Length(1, 30)),
        load_default=list,
        metadata={"label": _l("Tags"), "widget": "lines", "help": _l("One a line, at most ten.")},
    )
    notes = fields.Str(
        load_default="",
        validate=validate.Length(max=10_000),
        metadata={"label": _l("Notes"), "widget": "textarea", "rows": 5},
    )

    @pre_load
    def tidy(self, data: object, **kwargs: object) -> object:
        """Spaces around a name are nobody's intention."""
        if not isinstance(data, dict):
            return data
        return {key: value.strip() if isinstance(value, str) else value for key, value in data.items()}

    @validates("tags")
    def few_tags(self, value: list[str], data_key: str) -> None:
        if len(value) > MOST_TAGS:
            raise ValidationError(str(_l("Ten tags are the most.")))


class MoneyOut(Schema):
    """An amount in minor units (cents)."""

    amount = fields.Int()
    currency = fields.Str()


class ProjectOut(ProjectIn):
    """A project as it is answered."""

    id = fields.UUID()
    created_at = fields.AwareDateTime()
    services = fields.List(fields.UUID())


class ProjectPage(Schema):
    """A page of projects; `next` is the cursor of the one after."""

    items = fields.List(fields.Nested(ProjectOut))
    next = fields.UUID(allow_none=True)


class BillOut(Schema):
    """What a project costs by the month, a total for each currency."""

    project_id = fields.UUID()
    totals = fields.List(fields.Nested(MoneyOut))


class ProjectsSettings(Schema):
    """How projects start."""

    default_colour = fields.Str(
        load_default=COLOURS[0],
        validate=_COLOUR,
        metadata={"label": _l("Colour of new projects"), "widget": "colour"},
    )
