"""What dunning's and tax's forms and API take and give."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, post_load, validate

from chom_core.billing.schemas.documents import COUNTRIES, MoneySchema
from chom_core.web.patterns import Pattern

_DAYS = r"^\s*\d{1,3}([,\s]+\d{1,3})*[,\s]*$"


class TermsFormSchema(Schema):
    """A seller's ladder."""

    retry_days = fields.String(
        required=True,
        validate=Pattern(_DAYS, error=_l("Days as numbers: for example 0, 3, 5, 7.")),
        metadata={
            "label": _l("Ask the card on days"),
            "help": _l("Days after the first refusal, which is day 0."),
        },
    )
    contact_rung = fields.Integer(
        required=True,
        metadata={
            "label": _l("Tell the billing address too, from this try on"),
            "help": _l("0 is the first refusal."),
        },
    )
    warn_days = fields.Integer(
        required=True, metadata={"label": _l("Warn so many days before the suspension")}
    )
    suspend_day = fields.Integer(required=True, metadata={"label": _l("Suspend on day")})
    end_day = fields.Integer(required=True, metadata={"label": _l("Give up on day")})
    outcome = fields.String(
        required=True,
        validate=validate.OneOf(["keep", "cancel"]),
        metadata={
            "label": _l("Then"),
            "widget": "radio",
            "choices": [("keep", _l("Services stay suspended")), ("cancel", _l("The subscription ends"))],
        },
    )

    @post_load
    def days(self, data: dict[str, Any], **_more: Any) -> dict[str, Any]:
        """«0, 3, 5, 7» as numbers."""
        return {**data, "retry_days": [int(day) for day in re.findall(r"\d+", data["retry_days"])]}


class TaxRateFormSchema(Schema):
    """A rate of tax in one place from a day on."""

    country = fields.String(required=True, metadata={"label": _l("Country"), "choices": COUNTRIES})
    region = fields.String(
        load_default="",
        validate=validate.Length(max=3),
        metadata={"label": _l("State (United States)"), "help": _l("Two letters, for example CA.")},
    )
    title = fields.String(
        load_default="", validate=validate.Length(max=60), metadata={"label": _l("What the invoice calls it")}
    )
    rate = fields.Decimal(required=True, metadata={"label": _l("Rate in percent"), "suffix": "%"})
    effective_from = fields.Date(
        load_default=None, allow_none=True, metadata={"label": _l("From this day on")}
    )


class UnpaidSchema(Schema):
    """An unpaid invoice on its ladder."""

    id = fields.UUID(required=True)
    invoice_id = fields.UUID(required=True)
    number = fields.String(required=True)
    status = fields.String(required=True)
    due = fields.Nested(MoneySchema, required=True)
    rung = fields.Integer(required=True, metadata={"description": "How many tries are done, of `rungs`."})
    rungs = fields.Integer(required=True)
    retry_at = fields.AwareDateTime(required=True, allow_none=True)
    suspend_at = fields.AwareDateTime(required=True)
    suspended_at = fields.AwareDateTime(required=True, allow_none=True)
    end_at = fields.AwareDateTime(required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)


class ProfileSchema(Schema):
    """Who the invoices are for. What is left out stays as it is."""

    name = fields.String(validate=validate.Length(min=1, max=200))
    email = fields.String(validate=validate.Length(max=254))
    address = fields.String(validate=validate.Length(max=1000))
    country = fields.String(validate=validate.Length(max=2))
    region = fields.String(validate=validate.Length(max=3))
    vat_id = fields.String(validate=validate.Length(max=40))
