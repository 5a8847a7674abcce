"""The forms of the catalogue: a new version of a price, what use costs, coupons and their codes."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from chom_core.values.period import BillingPeriod
from chom_core.web.patterns import Pattern

_AMOUNT = Pattern(r"^\d{1,9}([.,]\d{1,4})?$", error=_l("An amount such as 79.00."))
_PERIODS = [
    (BillingPeriod.MONTHLY.value, _l("Monthly")),
    (BillingPeriod.QUARTERLY.value, _l("Quarterly")),
    (BillingPeriod.ANNUAL.value, _l("Yearly")),
    (BillingPeriod.BIENNIAL.value, _l("Two years")),
]
_DURATIONS = [("once", _l("Once")), ("repeating", _l("For some invoices")), ("forever", _l("For ever"))]


class PriceFormSchema(Schema):
    """A new version of a price."""

    period = fields.String(
        required=True,
        validate=validate.OneOf([value for value, _label in _PERIODS]),
        metadata={"label": _l("Billing period"), "choices": _PERIODS},
    )
    currency = fields.String(
        required=True, validate=validate.Regexp(r"^[A-Z]{3}$"), metadata={"label": _l("Currency")}
    )
    amount = fields.String(required=True, validate=_AMOUNT, metadata={"label": _l("Price, net")})
    effective_from = fields.Date(
        load_default=None, allow_none=True,
        metadata={"label": _l("Sold from"), "help": _l("Empty: from now. Who has the plan keeps the old price.")},
    )  # fmt: skip


class UsagePriceFormSchema(Schema):
    """A new version of what one more unit costs."""

    meter = fields.String(
        required=True, validate=validate.Regexp(r"^[a-z][a-z0-9_.]{0,59}$"), metadata={"label": _l("Meter")}
    )
    currency = fields.String(
        required=True, validate=validate.Regexp(r"^[A-Z]{3}$"), metadata={"label": _l("Currency")}
    )
    unit = fields.String(required=True, validate=_AMOUNT, metadata={"label": _l("Price of one more")})
    included = fields.Integer(
        load_default=0, validate=validate.Range(0, 10**9), metadata={"label": _l("Included every month")}
    )


class LimitsFormSchema(Schema):
    """Where use is billed before the month is over."""

    currency = fields.String(
        required=True, validate=validate.Regexp(r"^[A-Z]{3}$"), metadata={"label": _l("Currency")}
    )
    limits = fields.String(
        load_default="", validate=validate.Length(max=300),
        metadata={"label": _l("Bill use early at"),
                  "help": _l("Amounts of a month's use, net: 200.00 500.00. Empty: when the month is over.")},
    )  # fmt: skip
    every = fields.String(
        load_default="", validate=validate.Regexp(r"^(\d{1,9}([.,]\d{1,4})?)?$"),
        metadata={"label": _l("And beyond the highest after every"), "help": _l("Empty: not again that month.")},
    )  # fmt: skip


class CouponFormSchema(Schema):
    """A coupon: a percentage or an amount off."""

    name = fields.String(
        required=True, validate=validate.Length(1, 120),
        metadata={"label": _l("Name"), "help": _l("Customers read it on their invoices.")},
    )  # fmt: skip
    percent = fields.Decimal(
        load_default=None,
        allow_none=True,
        allow_nan=False,
        metadata={"label": _l("Percent off"), "suffix": "%"},
    )
    amount = fields.String(
        load_default="", validate=validate.Regexp(r"^(\d{1,9}([.,]\d{1,4})?)?$"),
        metadata={"label": _l("Or amount off"), "help": _l("In the seller's currency.")},
    )  # fmt: skip
    duration = fields.String(
        load_default="once", validate=validate.OneOf([value for value, _label in _DURATIONS]),
        metadata={"label": _l("How long"), "widget": "radio", "choices": _DURATIONS},
    )  # fmt: skip
    repeats = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(1, 120),
        metadata={"label": _l("For how many invoices")},
    )  # fmt: skip
    plans = fields.String(
        load_default="", validate=validate.Length(max=600),
        metadata={"label": _l("Only for plans"), "help": _l("Their codes, with commas between them; empty for all.")},
    )  # fmt: skip
    stacks = fields.Boolean(load_default=False, metadata={"label": _l("May stand beside other coupons")})
    max_redemptions = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(1, 10**6),
        metadata={"label": _l("How often in all")},
    )  # fmt: skip
    per_customer = fields.Integer(
        load_default=1, allow_none=True, validate=validate.Range(1, 10**6),
        metadata={"label": _l("How often per customer")},
    )  # fmt: skip
    expires_on = fields.Date(
        load_default=None, allow_none=True, metadata={"label": _l("Redeemable until the end of")}
    )
    code = fields.String(
        load_default="", validate=validate.Length(max=40),
        metadata={"label": _l("Promotion code"), "help": _l("What people type. More can be added later.")},
    )  # fmt: skip
