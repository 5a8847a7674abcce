"""Subscriptions and what changes them, over the API."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from chom_core.billing.schemas.documents import BillSchema, MoneySchema
from chom_core.values.period import BillingPeriod

_PERIODS = [period.value for period in BillingPeriod]
_REASON = validate.Length(max=300)
_CODE = validate.Length(min=1, max=60)


class ItemSchema(Schema):
    """One part of a subscription, at the price it keeps."""

    id = fields.UUID()
    plan = fields.String()
    title = fields.String()
    shape = fields.String()
    quantity = fields.Integer()
    unit = fields.Nested(MoneySchema)
    price = fields.Nested(MoneySchema)
    priced_at = fields.AwareDateTime()
    service_id = fields.UUID(allow_none=True)


class ChangeSchema(Schema):
    """A change that waits (scheduled, paying), or what became of it (done, cancelled, failed)."""

    id = fields.UUID()
    kind = fields.String()
    plan = fields.String()
    period = fields.String()
    quantity = fields.Integer(allow_none=True)
    effective_at = fields.AwareDateTime()
    at_period_end = fields.Boolean()
    status = fields.String()
    reason = fields.String()
    note = fields.String()
    requested_by = fields.String()


class CouponSchema(Schema):
    """A coupon that the subscription has."""

    id = fields.UUID()
    name = fields.String()
    words = fields.String()
    active = fields.Boolean()


class SubscriptionDetailsSchema(Schema):
    """A subscription with all its parts, and what is to change."""

    id = fields.UUID()
    shape = fields.String()
    status = fields.String()
    title = fields.String()
    period = fields.String()
    currency = fields.String()
    zone = fields.String()
    anchor = fields.AwareDateTime()
    billing_day = fields.Integer(allow_none=True)
    proration = fields.String()
    timing = fields.String()
    current_period_start = fields.AwareDateTime()
    current_period_end = fields.AwareDateTime()
    trial_ends_at = fields.AwareDateTime(allow_none=True)
    paused_at = fields.AwareDateTime(allow_none=True)
    cancel_at = fields.AwareDateTime(allow_none=True)
    cancel_reason = fields.String()
    items = fields.List(fields.Nested(ItemSchema))
    changes = fields.List(fields.Nested(ChangeSchema))
    coupons = fields.List(fields.Nested(CouponSchema))
    usage_limits = fields.List(fields.Nested(MoneySchema))


class WantedSchema(Schema):
    """What to change: another plan or period, a quantity, an add-on more or less."""

    kind = fields.String(load_default="plan", validate=validate.OneOf(["plan", "quantity", "add", "remove"]))
    item = fields.UUID(load_default=None, allow_none=True)
    plan = fields.String(load_default="", validate=validate.Length(max=60))
    period = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(_PERIODS))
    quantity = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 1000)
    )
    when = fields.String(load_default="auto", validate=validate.OneOf(["auto", "now", "period_end"]))
    at = fields.AwareDateTime(load_default=None, allow_none=True)
    reason = fields.String(load_default="", validate=_REASON)


class ConfirmSchema(WantedSchema):
    """The change, with the total of its preview in minor units: another total charges nothing."""

    expected = fields.Integer(load_default=None, allow_none=True, strict=True)


class ChangePreviewSchema(Schema):
    """What a change comes to. `now`: charged at once; else the bill is the first renewal with it."""

    at = fields.AwareDateTime()
    now = fields.Boolean()
    bill = fields.Nested(BillSchema)
    credit = fields.Nested(MoneySchema)
    charge = fields.Nested(MoneySchema)
    gives_back = fields.Nested(MoneySchema)


class ChangedSchema(Schema):
    """How a change stands: done, scheduled, action (go to `url`), declined, pending."""

    state = fields.String()
    change_id = fields.UUID()
    invoice_id = fields.UUID(allow_none=True)
    payment_id = fields.UUID(allow_none=True)
    url = fields.String()
    message = fields.String()
    fix = fields.String()


class ScheduleSchema(WantedSchema):
    """A change for an instant to come (`at`), or for the end of the period."""


class CancelSchema(Schema):
    """When it ends: at the end of what is paid, now, or on a local date within it; and why."""

    when = fields.String(
        load_default="at_end",
        validate=validate.OneOf(["at_end", "now"]),
        metadata={
            "label": _l("When"),
            "widget": "radio",
            "choices": [("at_end", _l("At the end of what is paid")), ("now", _l("Now"))],
        },
    )
    on = fields.Date(load_default=None, allow_none=True)
    reason = fields.String(
        load_default="",
        validate=_REASON,
        metadata={"label": _l("Why do you leave?"), "widget": "textarea", "rows": 2},
    )


class PauseSchema(Schema):
    """Paused at the end of the period, or now; back by itself at `resume_at`, where given."""

    now = fields.Boolean(load_default=False)
    resume_at = fields.AwareDateTime(load_default=None, allow_none=True)
    reason = fields.String(load_default="", validate=_REASON)


class BillingDaySchema(Schema):
    """The day of the month on which periods begin; null for the day it was bought."""

    day = fields.Integer(required=True, allow_none=True, strict=True, validate=validate.Range(1, 31))
