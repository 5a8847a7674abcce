"""What the API shows."""

from __future__ import annotations

from marshmallow import Schema, fields


class MoneyOut(Schema):
    """Whole minor units of one currency."""

    amount = fields.Int()
    currency = fields.Str()


class PlanOut(Schema):
    """A month on a plan with this month's use; `saves` against the plan of today."""

    code = fields.Str()
    title = fields.Str()
    price = fields.Nested(MoneyOut)
    use = fields.Nested(MoneyOut)
    total = fields.Nested(MoneyOut)
    saves = fields.Nested(MoneyOut)
    current = fields.Bool()


class AlertOut(Schema):
    """A share of an allowance that was reached."""

    meter = fields.Str()
    percent = fields.Int()
    period_start = fields.AwareDateTime()
    told_at = fields.AwareDateTime()
