"""What may be sent and what is answered; the same schemas draw the forms."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from .models import AT_LIMIT, BLOCK, PAUSE, TELL

_LABELS = (_l("Tell me"), _l("Block purchases"), _l("Also pause chosen services"))
_ABOUT = {
    TELL: _l("A mail at 50, 75, 90 and 100 %. Nothing is blocked or stopped."),
    BLOCK: _l("Nothing is bought that takes the month past the budget. Renewals and what you owe go on."),
    PAUSE: _l(
        "The services chosen below are stopped, too: their visitors see them down. This saves only what they use by "
        "the meter; their monthly price goes on."
    ),
}


class BudgetIn(Schema):
    """A budget, as somebody writes it. The amount is in the organisation's currency: "100.00"."""

    project_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"label": _l("For"), "placeholder": _l("The whole organisation")},
    )
    amount = fields.Decimal(
        required=True,
        as_string=True,
        validate=validate.Range(min=Decimal("0.01"), max=Decimal("100000000")),
        metadata={
            "label": _l("Budget for a calendar month"),
            "placeholder": "100.00",
            "step": "0.01",
            "help": _l("Before tax. What is billed counts on its day, use on the days it was used."),
        },
    )
    at_limit = fields.Str(
        load_default=TELL,
        validate=validate.OneOf(AT_LIMIT),
        metadata={
            "label": _l("At 100 %"),
            "widget": "radio-cards",
            "choices": list(zip(AT_LIMIT, _LABELS, strict=True)),
            "about": _ABOUT,
        },
    )
    pause_services = fields.List(
        fields.UUID(),
        load_default=list,
        validate=validate.Length(max=500),
        metadata={"label": _l("Services that may be paused"), "widget": "checkboxes"},
    )


class MoneyOut(Schema):
    """An amount in minor units (cents)."""

    amount = fields.Int()
    currency = fields.Str()


class BudgetOut(BudgetIn):
    """A budget with its month. `estimate` carries metered use on in a straight line; `crossing` may be null."""

    id = fields.UUID()
    currency = fields.Str()
    month = fields.Date()
    spent = fields.Nested(MoneyOut)
    percent = fields.Int()
    exhausted = fields.Bool()
    override_until = fields.Date(allow_none=True)
    override_reason = fields.Str()
    estimate = fields.Nested(MoneyOut)
    crossing = fields.Date(allow_none=True)
    alerts = fields.List(fields.Int(), metadata={"description": "percents told this month"})


class OverrideIn(Schema):
    """Let purchases pass, and services run, to the end of a day."""

    until = fields.Date(required=True, metadata={"label": _l("To the end of")})
    reason = fields.Str(
        required=True,
        validate=validate.Length(3, 300),
        metadata={"label": _l("Reason"), "help": _l("It stands in the audit log.")},
    )
