"""What the API of usage takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from chom_core.billing.schemas.documents import MoneySchema


class NewEventSchema(Schema):
    """Use of a meter at an instant (now, where left out), by a service (the organisation, where left out)."""

    id = fields.String(required=True, validate=validate.Length(1, 100))
    meter = fields.String(required=True, validate=validate.Length(1, 80))
    value = fields.Decimal(load_default=1)
    at = fields.AwareDateTime(load_default=None, allow_none=True)
    subject = fields.UUID(load_default=None, allow_none=True)
    key = fields.String(load_default="", validate=validate.Length(max=120))
    properties = fields.Dict(keys=fields.String(), load_default=dict)


class NewEventsSchema(Schema):
    """One to a hundred events, recorded all or none."""

    events = fields.List(fields.Nested(NewEventSchema), required=True)


class UnmatchedSchema(Schema):
    """The event at `index` is kept and does not count."""

    index = fields.Integer()
    reason = fields.String(validate=validate.OneOf(["unknown_meter", "no_subscription", "outside_window"]))


class RecordedSchema(Schema):
    """How many events count now; the places of those that were known before, and of those that do not count."""

    accepted = fields.Integer()
    duplicates = fields.List(fields.Integer())
    unmatched = fields.List(fields.Nested(UnmatchedSchema))


class CorrectionSchema(Schema):
    """The right value of an event; without one it never happened. `id` is the correction's own."""

    id = fields.String(required=True, validate=validate.Length(1, 100))
    value = fields.Decimal(load_default=None, allow_none=True)
    key = fields.String(load_default="", validate=validate.Length(max=120))


class CorrectedSchema(Schema):
    """The correction."""

    id = fields.String()
    corrects = fields.String()


class MeterSchema(Schema):
    """What can be counted."""

    name = fields.String()
    title = fields.String()
    unit = fields.String()
    aggregation = fields.String()


class MeterUseSchema(Schema):
    """A meter in the current month. `amount`: what the use beyond the allowance costs so far, tax not included."""

    meter = fields.Nested(MeterSchema)
    subscription_id = fields.UUID()
    plan = fields.String()
    used = fields.String()
    included = fields.String()
    beyond = fields.String()
    unit_price = fields.String()
    amount = fields.Nested(MoneySchema)
    period_start = fields.AwareDateTime()
    period_end = fields.AwareDateTime()


class DaysQuerySchema(Schema):
    """Which days: by default the last thirty."""

    meter = fields.String(required=True, validate=validate.Length(1, 80))
    start = fields.AwareDateTime(load_default=None)
    end = fields.AwareDateTime(load_default=None)
    subject = fields.UUID(load_default=None)


class DaySchema(Schema):
    """One UTC day of one service, or of the organisation itself."""

    day = fields.Date()
    subject = fields.UUID(allow_none=True)
    quantity = fields.String()
    events = fields.Integer()


class EventsQuerySchema(Schema):
    """Which events. `after` is the `cursor` of the last one seen."""

    meter = fields.String(load_default="", validate=validate.Length(max=80))
    subject = fields.UUID(load_default=None)
    start = fields.AwareDateTime(load_default=None)
    end = fields.AwareDateTime(load_default=None)
    unmatched = fields.Boolean(load_default=False)
    after = fields.UUID(load_default=None)
    limit = fields.Integer(load_default=50, strict=False, validate=validate.Range(1, 200))


class EventSchema(Schema):
    """One event as it was received."""

    id = fields.String()
    cursor = fields.UUID()
    meter = fields.String()
    subject = fields.UUID(allow_none=True)
    at = fields.AwareDateTime()
    value = fields.String()
    key = fields.String()
    reason = fields.String()
    corrected = fields.Boolean()
    received_at = fields.AwareDateTime()
    properties = fields.Dict()


class MonthSchema(Schema):
    """A meter's month between reception and invoice."""

    meter = fields.String()
    subscription_id = fields.UUID()
    period_start = fields.AwareDateTime()
    period_end = fields.AwareDateTime()
    received = fields.String()
    events = fields.Integer()
    rated = fields.String()
    rated_events = fields.Integer()
    billed = fields.Nested(MoneySchema)
    invoices = fields.List(fields.String())
    state = fields.String(validate=validate.OneOf(["open", "rated", "billed"]))


class ReconciliationSchema(Schema):
    """Every event that was received, and where it stands."""

    received = fields.Integer()
    counted = fields.Integer()
    replaced = fields.Integer()
    unmatched = fields.Dict(keys=fields.String(), values=fields.Integer())
    months = fields.List(fields.Nested(MonthSchema))
