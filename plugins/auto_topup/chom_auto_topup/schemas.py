"""What may be sent and what is answered; the same schemas draw the form."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

_ABOVE = validate.Range(min=Decimal("0.01"), max=Decimal("1000000"))
_FROM_ZERO = validate.Range(min=Decimal("0"), max=Decimal("1000000"))


class RuleIn(Schema):
    """The rule, as somebody writes it. Amounts are in the organisation's currency: "50.00"."""

    enabled = fields.Bool(
        load_default=True,
        metadata={
            "label": _l("Top up by itself"),
            "help": _l("The card may be charged while nobody is there."),
        },
    )
    threshold = fields.Decimal(
        required=True,
        as_string=True,
        validate=_FROM_ZERO,
        metadata={"label": _l("When credit is at or below"), "placeholder": "10.00", "step": "0.01"},
    )
    amount = fields.Decimal(
        required=True,
        as_string=True,
        validate=_ABOVE,
        metadata={"label": _l("Charge the card and add"), "placeholder": "50.00", "step": "0.01"},
    )
    cap = fields.Decimal(
        load_default=None,
        allow_none=True,
        as_string=True,
        validate=_ABOVE,
        metadata={
            "label": _l("At most in a calendar month"),
            "step": "0.01",
            "help": _l("A top-up that would pass it is not made, and you are told. Empty: no limit."),
        },
    )
    method_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"label": _l("Card"), "placeholder": _l("The default card")},
    )


class RuleOut(RuleIn):
    """The rule as it stands. `status`: off, on, retrying (once a day) or paused."""

    status = fields.Str()
    currency = fields.Str()
    balance = fields.Decimal(as_string=True)
    failures = fields.Int()
    paused_at = fields.AwareDateTime(allow_none=True)


class AttemptOut(Schema):
    """One time a card was asked."""

    id = fields.UUID()
    created_at = fields.AwareDateTime()
    amount = fields.Int(metadata={"description": "minor units"})
    balance = fields.Int(metadata={"description": "minor units"})
    currency = fields.Str()
    status = fields.Str()
    card = fields.Str()
    code = fields.Str()
    message = fields.Str()
    payment_id = fields.UUID(allow_none=True)


class AttemptPage(Schema):
    """A page of them, oldest first; `next` is the cursor of the one after."""

    items = fields.List(fields.Nested(AttemptOut))
    next = fields.UUID(allow_none=True)
