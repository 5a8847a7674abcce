"""What the form and the API of a reseller's settlement take and give."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from chom_core.billing.schemas.documents import MoneySchema

_POOL = {"help": _l("For each customer; what one does not use, another may.")}
_PRICE = {"inputmode": "decimal", "placeholder": "15.00"}


def _amount(label: object) -> fields.String:
    return fields.String(required=True, validate=validate.Length(1, 20), metadata={"label": label, **_PRICE})


def _units(label: object, **more: object) -> fields.Decimal:
    return fields.Decimal(
        load_default=Decimal(0),
        validate=validate.Range(0, 10**9),
        metadata={"label": label, "inputmode": "decimal", **more},
    )


class SettlementFormSchema(Schema):
    """Staff set what a reseller pays, or earns."""

    mode = fields.String(
        required=True,
        validate=validate.OneOf(["wholesale", "share"]),
        metadata={
            "label": _l("Settlement"),
            "widget": "radio-cards",
            "choices": [("wholesale", _l("Wholesale")), ("share", _l("Share"))],
            "about": {
                "wholesale": _l(
                    "The reseller sells at its own prices, and pays the platform for each month."
                ),
                "share": _l("The platform sells; the reseller earns a part of what its customers paid."),
            },
        },
    )
    base = _amount(_l("A month, whatever it sells"))
    seat = _amount(_l("A customer, by the month"))
    storage_gb = _units(_l("Storage included, GB"), **_POOL)
    storage_price = _units(_l("A GB of storage beyond all that"))
    traffic_gb = _units(_l("Traffic included, GB"), **_POOL)
    traffic_price = _units(_l("A GB of traffic beyond all that"))
    share_percent = fields.Decimal(
        load_default=Decimal(20),
        validate=validate.Range(0, 100),
        metadata={"label": _l("Its part, by share"), "suffix": "%"},
    )


class PooledSchema(Schema):
    """One meter: units included for each seat, the price of one beyond all seats together (major units)."""

    meter = fields.String()
    included = fields.Decimal(as_string=True)
    unit = fields.Decimal(as_string=True)


class SettlementSchema(Schema):
    """The terms between a reseller and the platform, and what the running month costs before use."""

    mode = fields.String(validate=validate.OneOf(["wholesale", "share"]))
    base = fields.Nested(MoneySchema)
    seat = fields.Nested(MoneySchema)
    share_percent = fields.Decimal(as_string=True)
    pool = fields.List(fields.Nested(PooledSchema))
    fixed = fields.Boolean()
    month_start = fields.AwareDateTime()
    month_end = fields.AwareDateTime()
    seats = fields.Integer()
    before_use = fields.Nested(MoneySchema)


class CustomerMonthSchema(Schema):
    """One customer in a settled month."""

    tenant_id = fields.UUID()
    name = fields.String()
    retail = fields.Nested(MoneySchema)
    used = fields.Dict(keys=fields.String(), values=fields.Decimal(as_string=True))


class MonthStatementSchema(Schema):
    """A settled month: both sums net, and what is between them."""

    id = fields.UUID()
    start = fields.AwareDateTime()
    end = fields.AwareDateTime()
    seats = fields.Integer()
    retail = fields.Nested(MoneySchema)
    wholesale = fields.Nested(MoneySchema)
    margin = fields.Nested(MoneySchema)
    invoice_id = fields.UUID(allow_none=True)
    customers = fields.List(fields.Nested(CustomerMonthSchema))
