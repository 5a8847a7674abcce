"""What the form and the API of a seller take and give: its details, its rates of tax, its ladder."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from chom_core.billing.schemas.documents import COUNTRIES, MoneySchema
from chom_core.billing.schemas.dunning import UnpaidSchema
from chom_core.billing.service.dunning.desk import MOST_DAYS as LONGEST
from chom_core.billing.service.invoicing.seller_checks import LIMITS, MOST_DAYS, NUMBERINGS

_INVOICE, _NUMBERS = _l("On the invoice"), _l("Numbers")


def _text(name: str, label: object, *, least: int = 0, **more: object) -> fields.String:
    check = validate.Length(least, LIMITS[name])
    metadata = {"label": label, **more}
    if least:
        return fields.String(required=True, validate=check, metadata=metadata)
    return fields.String(load_default="", validate=check, metadata=metadata)


class SellerFormSchema(Schema):
    """What a seller's invoices say of it, and how they are numbered."""

    legal_name = _text("legal_name", _l("Legal name"), least=1, section=_INVOICE, autocomplete="organization")
    address = _text(
        "address", _l("Address"), section=_INVOICE, widget="textarea", rows=2, autocomplete="street-address"
    )
    country = _text(
        "country", _l("Country"), least=2, section=_INVOICE, choices=COUNTRIES, autocomplete="country"
    )
    tax_id = _text("tax_id", _l("Tax or VAT number"), section=_INVOICE)
    oss = fields.Boolean(
        load_default=False,
        metadata={
            "label": _l("Registered for the One Stop Shop"),
            "help": _l("In the European Union: people in other member states pay the rate of their country."),
            "section": _INVOICE,
        },
    )
    due_days = fields.Integer(
        required=True,
        validate=validate.Range(0, MOST_DAYS),
        metadata={"label": _l("Days to pay"), "section": _INVOICE},
    )
    number_prefix = _text(
        "number_prefix", _l("Invoice numbers begin with"), least=1, section=_NUMBERS, placeholder="INV-"
    )
    note_prefix = _text(
        "note_prefix", _l("Credit notes begin with"), least=1, section=_NUMBERS, placeholder="CN-"
    )
    numbering = fields.String(
        required=True,
        validate=validate.OneOf(NUMBERINGS),
        metadata={
            "label": _l("Invoices are counted"),
            "section": _NUMBERS,
            "widget": "radio-cards",
            "choices": [("seller", _l("All together")), ("customer", _l("Customer by customer"))],
            "about": {
                "seller": _l("One series without gaps: INV-000001, INV-000002."),
                "customer": _l(
                    "A series for each customer: INV-001-001, INV-001-002. No customer can tell how many you have."
                ),
            },
        },
    )


class SellerSchema(Schema):
    """What the next invoices of the seller say of it. What is left out stays as it is."""

    legal_name = fields.String(validate=validate.Length(1, LIMITS["legal_name"]))
    address = fields.String(validate=validate.Length(max=LIMITS["address"]))
    country = fields.String(validate=validate.Length(max=LIMITS["country"]))
    tax_id = fields.String(validate=validate.Length(max=LIMITS["tax_id"]))
    number_prefix = fields.String(validate=validate.Length(1, LIMITS["number_prefix"]))
    note_prefix = fields.String(validate=validate.Length(1, LIMITS["note_prefix"]))
    numbering = fields.String(validate=validate.OneOf(NUMBERINGS))
    due_days = fields.Integer(strict=True, validate=validate.Range(0, MOST_DAYS))
    oss = fields.Boolean()


class TaxRateSchema(Schema):
    """A rate of tax in one place from a day on (today, where it is left out)."""

    country = fields.String(required=True, validate=validate.Length(equal=2))
    region = fields.String(load_default="", validate=validate.Length(max=3))
    title = fields.String(load_default="", validate=validate.Length(max=60))
    rate = fields.Decimal(required=True, as_string=True, metadata={"description": "In percent."})
    effective_from = fields.Date(load_default=None, allow_none=True)


class TaxReportQuerySchema(Schema):
    """The days of a report, by the seller's own clock."""

    first = fields.Date(load_default=None)
    last = fields.Date(load_default=None)


class TaxLineSchema(Schema):
    """All that was sold to one place at one rate, in one currency. `note`: why no tax was charged."""

    country = fields.String(required=True)
    region = fields.String(required=True)
    title = fields.String(required=True)
    rate = fields.Decimal(required=True, as_string=True, metadata={"description": "In percent."})
    note = fields.String(required=True)
    documents = fields.Integer(required=True)
    net = fields.Nested(MoneySchema, required=True)
    tax = fields.Nested(MoneySchema, required=True)


class TaxReportSchema(Schema):
    """A seller's taxes in a span of time, start included and end not."""

    start = fields.AwareDateTime(required=True)
    end = fields.AwareDateTime(required=True)
    lines = fields.List(fields.Nested(TaxLineSchema), required=True)
    proven = fields.Boolean(required=True)


class TermsSchema(Schema):
    """A seller's ladder: local days after the first refusal, which is day 0."""

    retry_days = fields.List(
        fields.Integer(strict=True), required=True, validate=validate.Length(max=12), metadata={"example": [0, 3, 5, 7]}
    )  # fmt: skip
    contact_rung = fields.Integer(required=True, strict=True)
    warn_days = fields.Integer(required=True, strict=True)
    suspend_day = fields.Integer(required=True, strict=True)
    end_day = fields.Integer(required=True, strict=True)
    outcome = fields.String(required=True, validate=validate.OneOf(["keep", "cancel"]))


class CustomerUnpaidSchema(Schema):
    """A customer's unpaid invoice."""

    customer_id = fields.UUID(required=True)
    customer = fields.String(required=True)
    info = fields.Nested(UnpaidSchema, required=True)


class LadderStepSchema(Schema):
    """Something that was done for an unpaid invoice."""

    kind = fields.String(
        required=True,
        validate=validate.OneOf(["ask", "warn", "suspend", "restored", "extend", "waive", "end"]),
    )
    rung = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)
    by = fields.String(required=True, metadata={"description": "Who decided it; empty where the ladder did."})
    note = fields.String(required=True)


class CustomerLadderSchema(CustomerUnpaidSchema):
    """A customer's unpaid invoice with what was done for it, oldest first."""

    steps = fields.List(fields.Nested(LadderStepSchema), required=True)


class RetrySchema(Schema):
    """Ask the default card once more, beside the ladder."""

    attempt = fields.String(
        required=True, validate=validate.Length(1, 40),
        metadata={"description": "A word of your own: the same one again asks nobody."},
    )  # fmt: skip


class WaiveSchema(Schema):
    """Why a debt is let go. It is kept with the decision."""

    reason = fields.String(required=True, validate=validate.Length(1, 300))


class ExtendSchema(WaiveSchema):
    """How many days more, and why."""

    days = fields.Integer(required=True, strict=True, validate=validate.Range(1, LONGEST))
