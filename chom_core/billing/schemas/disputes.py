"""What the API of disputes takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from chom_core.billing.reads.disputes import STATES
from chom_core.billing.schemas.documents import InvoiceSchema, MoneySchema, PaymentSchema


class DisputeSchema(Schema):
    """A payment that a bank took back. `reason` is the bank's, in the gateway's words."""

    id = fields.UUID(required=True)
    tenant_id = fields.UUID(required=True)
    reference = fields.String(required=True)
    gateway = fields.String(required=True)
    payment_id = fields.UUID(required=True)
    card = fields.String(required=True)
    amount = fields.Nested(MoneySchema, required=True)
    reason = fields.String(required=True)
    evidence_due = fields.AwareDateTime(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    created_at = fields.AwareDateTime(required=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)


class DisputeAnswerSchema(Schema):
    """What the bank is told. `version` names the text that was read: the verbs take it."""

    kind = fields.String(validate=validate.OneOf(["evidence", "accept"]))
    status = fields.String(validate=validate.OneOf(["draft", "sending", "sent", "refused"]))
    version = fields.Integer()
    evidence = fields.Dict(keys=fields.String(), values=fields.String())
    decided_by = fields.String()
    decided_at = fields.AwareDateTime(allow_none=True)
    settled_at = fields.AwareDateTime(allow_none=True)
    message = fields.String()


class EvidenceFieldSchema(Schema):
    """A field of evidence by the gateway's name, with what is proposed."""

    name = fields.String()
    title = fields.String()
    text = fields.String()
    help = fields.String()
    most = fields.Integer()
    long = fields.Boolean()


class ServedBySchema(Schema):
    """A service that the payment paid for."""

    id = fields.UUID()
    name = fields.String()
    title = fields.String()
    kind = fields.String()
    status = fields.String()


class PostedSchema(Schema):
    """An entry of the ledger."""

    at = fields.AwareDateTime()
    words = fields.String()
    account = fields.String()
    amount = fields.Nested(MoneySchema)


class DisputeDetailSchema(Schema):
    """A dispute with all that hangs on it. `proposed` is empty where nothing can be answered from here."""

    info = fields.Nested(DisputeSchema)
    payment = fields.Nested(PaymentSchema)
    invoices = fields.List(fields.Nested(InvoiceSchema))
    services = fields.List(fields.Nested(ServedBySchema))
    posted = fields.List(fields.Nested(PostedSchema))
    answer = fields.Nested(DisputeAnswerSchema, allow_none=True)
    proposed = fields.List(fields.Nested(EvidenceFieldSchema))


class DisputeQuerySchema(Schema):
    """Which disputes: all, or those in one state."""

    state = fields.String(load_default="", validate=validate.OneOf(["", *STATES]))


class EvidenceSchema(Schema):
    """A draft. `version`: of the answer that was read, 0 where there was none."""

    version = fields.Integer(required=True, strict=True, validate=validate.Range(0))
    evidence = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 80)),
        values=fields.String(validate=validate.Length(max=150_000)),
        required=True,
        validate=validate.Length(max=50),
    )


class DecisionSchema(Schema):
    """The version of the answer that is meant."""

    version = fields.Integer(required=True, strict=True, validate=validate.Range(0))
