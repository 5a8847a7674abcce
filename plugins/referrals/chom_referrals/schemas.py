"""What may be sent and what is answered; the same schemas draw the forms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from chom_sdk.ui import Pattern

from .models import PROGRAMMES

_CODE = Pattern(
    r"[A-Za-z0-9][A-Za-z0-9-]{2,38}[A-Za-z0-9]\Z", error=_l("4 to 40 letters, digits and hyphens.")
)


class CodeIn(Schema):
    """A referral link as somebody asks for it. An empty code is made up."""

    programme = fields.Str(
        load_default="customer",
        validate=validate.OneOf(PROGRAMMES),
        metadata={"label": _l("Programme"), "widget": "radio"},
    )
    code = fields.Str(
        load_default=None,
        allow_none=True,
        validate=_CODE,
        metadata={"label": _l("Code"), "help": _l("The last part of your link. Leave it empty and get one.")},
    )
    alias = fields.Str(
        load_default="",
        validate=validate.Length(max=60),
        metadata={"label": _l("Name on the leaderboard"), "help": _l("Empty: you are not on it.")},
    )
    about = fields.Str(
        load_default="",
        validate=validate.Length(max=500),
        metadata={
            "label": _l("Where will you tell people?"),
            "widget": "textarea",
            "help": _l("For affiliates and partners: your site, your audience, your work."),
        },
    )


class CodeOut(Schema):
    """A link and its numbers."""

    id = fields.UUID()
    code = fields.Str()
    link = fields.Str()
    programme = fields.Str()
    status = fields.Str()
    alias = fields.Str()
    created_at = fields.AwareDateTime()
    clicks = fields.Int()
    sign_ups = fields.Int()
    conversions = fields.Int()


class CodeList(Schema):
    items = fields.List(fields.Nested(CodeOut))


class MoneyOut(Schema):
    """An amount in minor units (cents)."""

    amount = fields.Int()
    currency = fields.Str()


class ReferralOut(Schema):
    """Somebody who came by a link. `label` is a hint, never a name."""

    id = fields.UUID()
    label = fields.Str()
    source = fields.Str()
    status = fields.Str()
    attributed_at = fields.AwareDateTime()
    converted_at = fields.AwareDateTime(allow_none=True)


class ReferralPage(Schema):
    """A page of referrals; `next` is the cursor of the one after."""

    items = fields.List(fields.Nested(ReferralOut))
    next = fields.UUID(allow_none=True)


class OwedOut(Schema):
    """Earnings in one currency. `as_credit`: paid out as credit on the account, not as money."""

    as_credit = fields.Bool()
    pending = fields.Nested(MoneyOut)
    available = fields.Nested(MoneyOut)
    on_its_way = fields.Nested(MoneyOut)
    paid = fields.Nested(MoneyOut)


class SummaryOut(Schema):
    """How an organisation's referrals do."""

    clicks = fields.Int()
    sign_ups = fields.Int()
    conversions = fields.Int()
    conversion_rate = fields.Float()
    tier = fields.Str()
    earnings = fields.List(fields.Nested(OwedOut))
    sources = fields.Dict(keys=fields.Str(), values=fields.Int())


class PayoutOut(Schema):
    id = fields.UUID()
    amount = fields.Nested(MoneyOut)
    method = fields.Str()
    status = fields.Str()
    reference = fields.Str()
    created_at = fields.AwareDateTime()
    settled_at = fields.AwareDateTime(allow_none=True)


class PayoutList(Schema):
    items = fields.List(fields.Nested(PayoutOut))


class AgreedIn(Schema):
    """A revenue share agreed with one partner; empty for the programme's."""

    percent = fields.Decimal(
        load_default=None,
        allow_none=True,
        allow_nan=False,
        as_string=True,
        validate=validate.Range(0, 100),
        metadata={"label": _l("Agreed share"), "suffix": "%"},
    )


def _amount(default: str, label: Any, section: Any, help: Any = "") -> fields.Decimal:
    return fields.Decimal(
        load_default=Decimal(default),
        places=2,
        as_string=True,
        allow_nan=False,
        validate=validate.Range(0, 1_000_000),
        metadata={"label": label, "section": section, "help": help},
    )


def _percent(default: str, label: Any, section: Any) -> fields.Decimal:
    return fields.Decimal(
        load_default=Decimal(default),
        as_string=True,
        allow_nan=False,
        validate=validate.Range(0, 100),
        metadata={"label": label, "section": section, "suffix": "%"},
    )


def _count(
    default: int, label: Any, section: Any, most: int = 3650, help: Any = "", least: int = 0
) -> fields.Int:
    return fields.Int(
        load_default=default,
        validate=validate.Range(least, most),
        metadata={"label": label, "section": section, "help": help},
    )


def _programme(
    name: str, title: Any, type: str, fixed: str, first: str, percent: str, invoices: int
) -> dict[str, fields.Field[Any]]:
    return {
        f"{name}_type": fields.Str(
            load_default=type,
            validate=validate.OneOf(("fixed", "percent")),
            metadata={
                "label": _l("Commission"),
                "section": title,
                "choices": (("fixed", _l("A fixed reward")), ("percent", _l("A percentage"))),
            },
        ),
        f"{name}_fixed": _amount(fixed, _l("Fixed reward"), title, _l("For the first paid invoice.")),
        f"{name}_first": _percent(first, _l("Of the first invoice"), title),
        f"{name}_percent": _percent(percent, _l("Of each later invoice"), title),
        f"{name}_invoices": _count(invoices, _l("For how many invoices"), title, 1200, _l("0: for ever.")),
        f"{name}_cap": _amount("0", _l("At most by one newcomer"), title, _l("0: no cap.")),
    }


_Programmes = Schema.from_dict(
    {
        **_programme("customer", _l("Customers"), "fixed", "50.00", "0", "0", 1),
        **_programme("affiliate", _l("Affiliates"), "percent", "0", "20", "20", 12),
        **_programme("partner", _l("Partners"), "percent", "0", "25", "25", 0),
    },
    name="Programmes",
)
_GENERAL, _NEW, _TIERS = _l("All programmes"), _l("For the newcomer"), _l("Tiers")


class ReferralsSettings(_Programmes):  # type: ignore[misc, valid-type]
    """Three programmes, what newcomers get, when earnings are paid out, and the tiers."""

    currency = fields.Str(
        load_default="USD",
        validate=validate.Regexp(r"[A-Z]{3}\Z"),
        metadata={"label": _l("Currency of rewards"), "section": _GENERAL},
    )
    window_days = _count(90, _l("A click counts for days"), _GENERAL, 365, _l("The last click wins."), 1)
    pending_days = _count(30, _l("Days until earnings may be paid out"), _GENERAL, 365)
    minimum = _amount("50.00", _l("Smallest payout of money"), _GENERAL)
    payout_day = _count(1, _l("Day of the month of payouts"), _GENERAL, 28, least=1)
    approve = fields.Bool(
        load_default=True,
        metadata={
            "label": _l("Staff approve affiliates and partners"),
            "section": _GENERAL,
            "widget": "switch",
        },
    )
    landing = fields.Str(
        load_default="/signup",
        validate=Pattern(r"/(?![/\\])[^\s]{0,200}\Z", error=_l("A path of this site, like /prices.")),
        metadata={"label": _l("Where a link leads"), "section": _GENERAL},
    )
    referee_percent = _percent("25", _l("Discount"), _NEW)
    referee_months = _count(3, _l("For months"), _NEW, 36)
    silver_at = _count(5, _l("Silver from conversions"), _TIERS, 100_000, least=1)
    silver_bonus = _percent("1", _l("Silver adds"), _TIERS)
    gold_at = _count(15, _l("Gold from conversions"), _TIERS, 100_000, least=1)
    gold_bonus = _percent("2", _l("Gold adds"), _TIERS)
    platinum_at = _count(40, _l("Platinum from conversions"), _TIERS, 100_000, least=1)
    platinum_bonus = _percent("5", _l("Platinum adds"), _TIERS)

    @validates_schema
    def rising(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Tiers are reached one after the other."""
        found = [data.get(f"{name}_at") for name in ("silver", "gold", "platinum")]
        steps = [step for step in found if step is not None]  # one that is malformed is said already
        if len(steps) == 3 and not steps[0] < steps[1] < steps[2]:
            raise ValidationError({"gold_at": [str(_l("Each tier takes more than the one before."))]})
