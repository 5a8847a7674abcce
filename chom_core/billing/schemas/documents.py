"""What billing's forms and API take and give."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from babel import Locale
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from marshmallow import Schema, fields, validate

from chom_core.values.period import BillingPeriod
from chom_core.web.patterns import Pattern

_PERIODS = [period.value for period in BillingPeriod]
#: What CLDR lists among countries, and no post reaches.
_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})


def _country(code: str) -> str:
    return str((get_locale() or Locale("en")).territories.get(code, code))


class _Countries(Sequence[tuple[str, LazyString]]):
    """Read where a form shows them: CLDR's names of the world take 0.1 s to load, which no boot need wait for."""

    def __len__(self) -> int:
        return len(_countries())

    def __getitem__(self, place: Any) -> Any:
        return _countries()[place]


@lru_cache(maxsize=1)
def _countries() -> list[tuple[str, LazyString]]:
    """(two letters, name in the reader's language), by English name."""
    names: dict[str, str] = {str(code): str(name) for code, name in Locale("en").territories.items()}
    codes = [code for code in names if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES]
    return [
        (code, LazyString(_country, code))  # type: ignore[no-untyped-call]
        for code in sorted(codes, key=names.__getitem__)
    ]


COUNTRIES = _Countries()


class BillingDetailsSchema(Schema):
    """Who the invoice is for."""

    name = fields.String(
        required=True,
        validate=validate.Length(min=1, max=200),
        metadata={"label": _l("Name or company"), "autocomplete": "organization"},
    )
    email = fields.String(
        required=True,
        validate=[validate.Email(), validate.Length(max=254)],
        metadata={"label": _l("E-mail address for invoices"), "widget": "email", "autocomplete": "email"},
    )
    address = fields.String(
        load_default="",
        validate=validate.Length(max=1000),
        metadata={"label": _l("Address"), "widget": "textarea", "rows": 2, "autocomplete": "street-address"},
    )
    country = fields.String(
        required=True,
        validate=Pattern(r"^[A-Za-z]{2}$", error=_l("Two letters, for example US or DE.")),
        metadata={
            "label": _l("Country"),
            "choices": COUNTRIES,
            "autocomplete": "country",
        },
    )
    region = fields.String(
        load_default="",
        validate=validate.Length(max=3),
        metadata={
            "label": _l("State (United States)"),
            "help": _l("Two letters, for example CA."),
            "autocomplete": "address-level1",
        },
    )
    vat_id = fields.String(
        load_default="",
        validate=validate.Length(max=40),
        metadata={
            "label": _l("Tax or VAT number"),
            "help": _l("For companies: with it, an invoice to another country of the EU is without VAT."),
        },
    )


class WishesSchema(Schema):
    """How the customer wants to be billed."""

    consolidate = fields.Boolean(
        load_default=False, metadata={"label": _l("One invoice for everything that is due on the same day")}
    )
    billing_day = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(1, 31),
        metadata={"label": _l("Day of the month on which periods begin"),
                  "help": _l("For what you buy from now on: its first period is shorter. Empty: the day of purchase.")},
    )  # fmt: skip


class ServiceDetailsSchema(BillingDetailsSchema):
    """The same, for a plan that builds a service: it needs a name."""

    service_name = fields.String(
        required=True,
        validate=validate.Length(min=1, max=63),
        metadata={
            "label": _l("Name of the site"),
            "help": _l("Small letters, digits and hyphens. It becomes the address."),
        },
    )


class OrderSchema(Schema):
    """What to preview."""

    plan = fields.String(required=True, validate=validate.Length(min=1, max=60))
    period = fields.String(load_default="monthly", validate=validate.OneOf(_PERIODS))
    currency = fields.String(load_default="USD", validate=validate.Regexp(r"^[A-Z]{3}$"))
    quantity = fields.Integer(load_default=1, strict=True, validate=validate.Range(1, 1000))
    service_name = fields.String(load_default="", validate=validate.Length(max=63))
    promotion_code = fields.String(load_default="", validate=validate.Length(max=40))


class PeriodQuerySchema(Schema):
    """Which price to show."""

    period = fields.String(load_default="monthly", validate=validate.OneOf(_PERIODS))


class MoneySchema(Schema):
    """Whole minor units (cents) of one currency."""

    amount = fields.Integer(required=True)
    currency = fields.String(required=True)


class PlanSchema(Schema):
    """A plan and its price for one billing period, tax not included."""

    code = fields.String()
    title = fields.String()
    shape = fields.String(validate=validate.OneOf(["hosting", "service", "addon"]))
    description = fields.String()
    period = fields.String(validate=validate.OneOf(_PERIODS))
    price = fields.Nested(MoneySchema)
    monthly = fields.Nested(MoneySchema)
    saving = fields.Nested(MoneySchema)
    allowances = fields.Dict(keys=fields.String(), values=fields.Integer())
    overage = fields.Dict(keys=fields.String(), values=fields.Nested(MoneySchema))
    features = fields.List(fields.String())
    service_kind = fields.String()


class BillLineSchema(Schema):
    """One line of a bill, net of tax."""

    kind = fields.String()
    description = fields.String()
    quantity = fields.String()
    unit = fields.Nested(MoneySchema, allow_none=True)
    amount = fields.Nested(MoneySchema)
    period_start = fields.AwareDateTime(allow_none=True)
    period_end = fields.AwareDateTime(allow_none=True)


class RateTaxSchema(Schema):
    """The tax at one rate, where lines bear several."""

    rate = fields.String()
    base = fields.Nested(MoneySchema)
    tax = fields.Nested(MoneySchema)


class BillSchema(Schema):
    """A preview: the invoice of this order would say exactly this."""

    currency = fields.String()
    lines = fields.List(fields.Nested(BillLineSchema))
    subtotal = fields.Nested(MoneySchema)
    tax = fields.Nested(MoneySchema)
    total = fields.Nested(MoneySchema)
    tax_title = fields.String()
    tax_rate = fields.String()
    tax_note = fields.String()
    tax_rates = fields.List(fields.Nested(RateTaxSchema))


class InvoiceLineSchema(BillLineSchema):
    """A line with its shares of discounts and tax; `details` explain it (days, tiers, meters)."""

    position = fields.Integer()
    discount = fields.Nested(MoneySchema)
    tax = fields.Nested(MoneySchema)
    source = fields.String()
    details = fields.Dict()


class InvoiceSchema(BillSchema):
    """A finalised invoice: total = paid + credited + noted + due."""

    lines = fields.List(fields.Nested(InvoiceLineSchema))
    id = fields.UUID()
    number = fields.String()
    status = fields.String(validate=validate.OneOf(["open", "paid", "void", "uncollectible"]))
    due = fields.Nested(MoneySchema)
    paid = fields.Nested(MoneySchema)
    credited = fields.Nested(MoneySchema)
    noted = fields.Nested(MoneySchema)
    refunded = fields.Nested(MoneySchema)
    issued_at = fields.AwareDateTime(allow_none=True)
    due_at = fields.AwareDateTime(allow_none=True)
    paid_at = fields.AwareDateTime(allow_none=True)
    snapshot = fields.Dict()


class PaymentSchema(Schema):
    """An attempt to pay; a top-up of the account credit has no invoice."""

    id = fields.UUID()
    invoice_id = fields.UUID(allow_none=True)
    status = fields.String()
    amount = fields.Nested(MoneySchema)
    refunded = fields.Nested(MoneySchema)
    card = fields.String()
    code = fields.String()
    message = fields.String()
    created_at = fields.AwareDateTime()


class SubscriptionSchema(Schema):
    """A subscription; `next_total` is what its next invoice would come to now, tax included."""

    id = fields.UUID()
    shape = fields.String()
    status = fields.String()
    title = fields.String()
    plan = fields.String()
    price = fields.Nested(MoneySchema)
    period = fields.String()
    current_period_start = fields.AwareDateTime()
    current_period_end = fields.AwareDateTime()
    cancel_at = fields.AwareDateTime(allow_none=True)
    service_id = fields.UUID(allow_none=True)
    next_total = fields.Nested(MoneySchema)
