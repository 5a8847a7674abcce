"""What the forms and the API of credit, credit notes, refunds and statements take and give."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from marshmallow import Schema, fields, validate

from chom_core.billing.schemas.documents import MoneySchema
from chom_core.web.patterns import Ticked

_REASON = {"label": _l("Reason"), "help": _l("It stands in the audit log, and on the document.")}
_AMOUNT = {"label": _l("Amount"), "placeholder": "50.00", "inputmode": "decimal"}
_SURE = {"label": _l("I have checked the amount and the customer.")}


def _reason() -> fields.String:
    return fields.String(required=True, validate=validate.Length(1, 300), metadata=_REASON)


def _sure() -> fields.Boolean:
    """Without the tick nothing happens: money does not move by a slip of the hand."""
    return fields.Boolean(required=True, validate=Ticked(_l("Tick this to go on.")), metadata=_SURE)


class TopUpFormSchema(Schema):
    """The customer's top-up; the card is chosen beside it."""

    amount = fields.String(required=True, validate=validate.Length(1, 20), metadata=_AMOUNT)


class GrantFormSchema(Schema):
    """Staff give credit."""

    kind = fields.String(
        load_default="promotional",
        validate=validate.OneOf(["promotional", "account"]),
        metadata={
            "label": _l("Kind"),
            "widget": "radio",
            "choices": [
                ("promotional", _l("Promotional credit: may expire, never cash")),
                ("account", _l("Account credit: like money paid in")),
            ],
        },
    )
    amount = fields.String(required=True, validate=validate.Length(1, 20), metadata=_AMOUNT)
    expires_on = fields.Date(
        load_default=None,
        allow_none=True,
        metadata={"label": _l("Expires on"), "help": _l("Promotional credit only. Empty: never.")},
    )
    usage_only = fields.Boolean(load_default=False, metadata={"label": _l("Pays for usage only")})
    reason = _reason()
    confirm = _sure()


class NoteFormSchema(Schema):
    """Staff issue a credit note; amounts by line are beside the lines."""

    amount = fields.String(
        load_default="",
        validate=validate.Length(max=20),
        metadata={
            **_AMOUNT,
            "placeholder": "",
            "label": _l("Amount, tax included"),
            "help": _l("Empty, and no line filled in: all that is left."),
        },
    )
    idle_from = fields.Date(
        load_default=None, allow_none=True,
        metadata={"label": _l("Or: first day without service"), "help": _l("Each line gives these days back.")},
    )  # fmt: skip
    idle_until = fields.Date(
        load_default=None, allow_none=True, metadata={"label": _l("Last day without service")}
    )
    settle = fields.String(
        load_default="credit",
        validate=validate.OneOf(["credit", "refund", "due"]),
        metadata={
            "label": _l("What was paid already"),
            "widget": "radio",
            "choices": [
                ("credit", _l("becomes account credit")),
                ("refund", _l("goes back to the card")),
                ("due", _l("stays: the note only lowers what is due")),
            ],
        },
    )
    reason = _reason()
    confirm = _sure()


class RefundFormSchema(Schema):
    """Staff give a payment back."""

    amount = fields.String(required=True, validate=validate.Length(1, 20), metadata=_AMOUNT)
    reason = _reason()
    confirm = _sure()


class TopUpSchema(Schema):
    """Pay account credit in by a card on file. `amount`: whole minor units. The same `key` is one charge, for ever."""

    amount = fields.Integer(required=True, strict=True, validate=validate.Range(1, 10**12))
    currency = fields.String(required=True, validate=validate.Regexp(r"^[A-Z]{3}$"))
    method_id = fields.UUID(required=True)
    key = fields.String(required=True, validate=validate.Length(1, 120))


class TopUpAnswerSchema(Schema):
    """How the top-up went; `url` leads to the bank's second step where it asks for one."""

    id = fields.UUID()
    status = fields.String()
    amount = fields.Nested(MoneySchema)
    url = fields.String()
    code = fields.String()
    message = fields.String()


class GrantSchema(Schema):
    """A grant of credit."""

    id = fields.UUID()
    kind = fields.String(validate=validate.OneOf(["account", "promotional"]))
    state = fields.String(validate=validate.OneOf(["usable", "used", "expired"]))
    amount = fields.Nested(MoneySchema)
    remaining = fields.Nested(MoneySchema)
    reason = fields.String()
    usage_only = fields.Boolean()
    priority = fields.Integer()
    expires_at = fields.AwareDateTime(allow_none=True)
    created_at = fields.AwareDateTime()


class CreditUseSchema(Schema):
    """What took from credit, or (below zero) gave back to it."""

    at = fields.AwareDateTime()
    kind = fields.String()
    credit = fields.String()
    amount = fields.Nested(MoneySchema)
    invoice_id = fields.UUID(allow_none=True)
    number = fields.String()


class CreditBalanceSchema(Schema):
    """What is left in one currency; `projected`: account credit after the drafts that wait."""

    currency = fields.String()
    account = fields.Nested(MoneySchema)
    promotional = fields.Nested(MoneySchema)
    projected = fields.Nested(MoneySchema)


class CreditSchema(Schema):
    """The organisation's credit."""

    balances = fields.List(fields.Nested(CreditBalanceSchema))
    grants = fields.List(fields.Nested(GrantSchema))
    uses = fields.List(fields.Nested(CreditUseSchema))


class CreditNoteLineSchema(Schema):
    """What a credit note takes back of one invoice line."""

    position = fields.Integer()
    description = fields.String()
    amount = fields.Nested(MoneySchema)
    tax = fields.Nested(MoneySchema)


class CreditNoteSchema(Schema):
    """A credit note and where its total went."""

    id = fields.UUID()
    invoice_id = fields.UUID()
    number = fields.String()
    reason = fields.String()
    currency = fields.String()
    subtotal = fields.Nested(MoneySchema)
    tax = fields.Nested(MoneySchema)
    total = fields.Nested(MoneySchema)
    to_due = fields.Nested(MoneySchema)
    to_refund = fields.Nested(MoneySchema)
    to_account = fields.Nested(MoneySchema)
    to_credit = fields.Nested(MoneySchema)
    to_promotional = fields.Nested(MoneySchema)
    issued_at = fields.AwareDateTime()
    lines = fields.List(fields.Nested(CreditNoteLineSchema))


class RefundSchema(Schema):
    """Cash given back to a card."""

    id = fields.UUID()
    payment_id = fields.UUID()
    invoice_id = fields.UUID(allow_none=True)
    status = fields.String(validate=validate.OneOf(["created", "pending", "succeeded", "failed"]))
    amount = fields.Nested(MoneySchema)
    from_credit = fields.Nested(MoneySchema)
    reopened = fields.Nested(MoneySchema)
    card = fields.String()
    reason = fields.String()
    message = fields.String()
    created_at = fields.AwareDateTime()
    settled_at = fields.AwareDateTime(allow_none=True)


class StatementQuerySchema(Schema):
    """[start, end) of a statement, as days in UTC; all of it where neither is given."""

    start = fields.Date(load_default=None, allow_none=True)
    end = fields.Date(load_default=None, allow_none=True)
    currency = fields.String(load_default="", validate=validate.Regexp(r"^([A-Z]{3})?$"))


class StatementEntrySchema(Schema):
    """One document or movement, and what stands after it."""

    at = fields.AwareDateTime()
    kind = fields.String()
    number = fields.String()
    words = fields.String()
    amount = fields.Nested(MoneySchema)
    balance = fields.Nested(MoneySchema)
    invoice_id = fields.UUID(allow_none=True)


class StatementSchema(Schema):
    """The statement of account. Above zero is owed by the customer; below zero is the customer's."""

    currency = fields.String()
    start = fields.AwareDateTime(allow_none=True)
    end = fields.AwareDateTime()
    opening = fields.Nested(MoneySchema)
    entries = fields.List(fields.Nested(StatementEntrySchema))
    closing = fields.Nested(MoneySchema)
