"""What this domain takes in and gives out, for pages and API alike."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, ValidationError, fields, validate

from chom_core.provisioning import kinds, names
from chom_core.values.provisioning import ServiceKind


def _valid_name(value: str) -> None:
    words = names.problem(value.strip().lower())
    if words:
        raise ValidationError(words)


class NameSchema(Schema):
    """What every order has beside its kind's own form."""

    name = fields.String(
        required=True,
        validate=_valid_name,
        metadata={
            "label": _l("Name"),
            "help": _l("Part of its address. Small letters, digits and hyphens; it cannot be changed later."),
            "autocomplete": "off",
        },
    )
    title = fields.String(
        load_default="",
        validate=validate.Length(max=120),
        metadata={"label": _l("Title"), "help": _l("What people call it. You can change it at any time.")},
    )


def order_schema(kind: ServiceKind) -> Schema:
    """Name, title and the kind's own fields, in one schema."""
    own = kinds.form_of(kind)
    extra: dict[str, Any] = dict(own.declared_fields) if own is not None else {}
    clash = extra.keys() & NameSchema._declared_fields.keys()
    if clash:
        raise ValueError(f"the form of {kind.name} may not have the fields {', '.join(sorted(clash))}")
    made = type(f"Order{kind.name.title()}Schema", (NameSchema,), extra)
    schema: Schema = made()
    return schema


class RenameSchema(Schema):
    """What can be changed about a service at any time."""

    title = fields.String(
        required=True, validate=validate.Length(min=1, max=120), metadata={"label": _l("Title")}
    )


class NodeSchema(Schema):
    """A node, as staff enter it."""

    name = fields.String(
        required=True, metadata={"label": _l("Name"), "help": _l("For staff: never shown to customers.")}
    )
    driver = fields.String(required=True, metadata={"label": _l("Driver")})
    region = fields.String(
        load_default="", metadata={"label": _l("Region"), "help": _l("Shown to customers.")}
    )
    address = fields.String(load_default="", metadata={"label": _l("Address")})
    capacity = fields.Integer(
        load_default=100,
        validate=validate.Range(0, 100_000),
        metadata={"label": _l("Capacity"), "help": _l("How many services it takes.")},
    )


class NewServiceSchema(Schema):
    """Body of POST /services."""

    kind = fields.String(
        required=True, metadata={"description": "Name of the kind: GET /services/kinds lists them"}
    )
    name = fields.String(required=True, metadata={"description": "One DNS label, unique on the platform"})
    title = fields.String(load_default="")
    settings = fields.Dict(
        keys=fields.String(), load_default=dict, metadata={"description": "The kind's own fields"}
    )


class ActionSchema(Schema):
    """Body of POST /services/<id>/actions/<action>."""

    settings = fields.Dict(keys=fields.String(), load_default=dict)


class ServiceQuery(Schema):
    """Query of GET /services."""

    status = fields.String(load_default="")
    kind = fields.String(load_default="")
    family = fields.String(load_default="", validate=validate.OneOf(["", "site", "server"]))
    search = fields.String(load_default="")
    after = fields.UUID(load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class OperationQuery(Schema):
    """Query of GET /operations."""

    service_id = fields.UUID(load_default=None)
    after = fields.UUID(load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class LinesQuery(Schema):
    """Query of GET /operations/<id>/log."""

    after = fields.Integer(load_default=0, validate=validate.Range(0))


class DeleteQuerySchema(Schema):
    """Body of POST /services/<id>/delete."""

    name = fields.String(
        required=True, metadata={"description": "The service's name, as proof that it is meant"}
    )


class ServiceSchema(Schema):
    """A service."""

    id = fields.UUID()
    kind = fields.String()
    kind_title = fields.String()
    family = fields.String()
    name = fields.String()
    title = fields.String()
    status = fields.String()
    url = fields.String()
    region = fields.String()
    settings = fields.Dict(keys=fields.String())
    created_at = fields.AwareDateTime()
    operation_id = fields.UUID(allow_none=True)


class StepSchema(Schema):
    """A step of an operation."""

    name = fields.String()
    title = fields.String()
    status = fields.String()
    attempts = fields.Integer()
    started_at = fields.AwareDateTime(allow_none=True)
    finished_at = fields.AwareDateTime(allow_none=True)
    progress = fields.Float(allow_none=True)


class OperationSchema(Schema):
    """An operation. `seq` grows with every change."""

    id = fields.UUID()
    service_id = fields.UUID()
    action = fields.String()
    status = fields.String()
    seq = fields.Integer()
    requested_by = fields.String()
    created_at = fields.AwareDateTime()
    started_at = fields.AwareDateTime(allow_none=True)
    finished_at = fields.AwareDateTime(allow_none=True)
    seconds_left = fields.Integer(allow_none=True)
    error = fields.String()
    fix = fields.String()
    steps = fields.List(fields.Nested(StepSchema))


class LineSchema(Schema):
    """A line of an operation's log."""

    seq = fields.Integer()
    step = fields.String()
    text = fields.String()
    at = fields.AwareDateTime()


class KindSchema(Schema):
    """A kind of service that can be ordered."""

    name = fields.String()
    title = fields.String()
    description = fields.String()
    family = fields.String()
