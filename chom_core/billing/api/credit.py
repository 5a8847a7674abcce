"""Credit over the API: what is left, topping up, credit notes, refunds, the statement of account."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from chom_core.billing import reads
from chom_core.billing.api.base import api
from chom_core.billing.schemas import credit as schemas
from chom_core.billing.service.credit import accounts
from chom_core.values.money import Money


@api.get("/credit", scope="billing:read", out=schemas.CreditSchema)
def credit_info() -> Any:
    """What is left of each kind, the newest 100 grants and uses."""
    return reads.credit_info()


@api.post("/credit/top-ups", scope="billing:write", into=schemas.TopUpSchema, out=schemas.TopUpAnswerSchema)
def top_up(body: dict[str, Any]) -> Any:
    """Charge a card on file and keep the money as account credit. The same key again is the same charge."""
    money = Money(body["amount"], body["currency"])
    payment = accounts.top_up(money, body["method_id"], body["key"], off_session=True)
    return {
        "id": payment.id, "status": payment.status, "amount": money, "url": payment.url, "code": payment.code,
        "message": payment.message,
    }  # fmt: skip


@api.get("/credit-notes", scope="billing:read", out=schemas.CreditNoteSchema, many=True)
def credit_notes() -> Any:
    """The newest 200 credit notes."""
    return reads.note_list()


@api.get("/credit-notes/<uuid:note_id>", scope="billing:read", out=schemas.CreditNoteSchema)
def credit_note(note_id: UUID) -> Any:
    """One credit note."""
    return reads.note(note_id)


@api.get("/refunds", scope="billing:read", out=schemas.RefundSchema, many=True)
def refund_list() -> Any:
    """The newest 200 refunds."""
    return reads.refund_list()


@api.get("/refunds/<uuid:refund_id>", scope="billing:read", out=schemas.RefundSchema)
def refund(refund_id: UUID) -> Any:
    """One refund."""
    return reads.refund(refund_id)


@api.get("/statement", scope="billing:read", into=schemas.StatementQuerySchema, out=schemas.StatementSchema)
def statement(query: dict[str, Any]) -> Any:
    """The statement of account over [start, end): opening, every document and payment, closing."""
    return reads.statement(midnight(query["start"]), midnight(query["end"]), query["currency"])


def midnight(day: date | None) -> datetime | None:
    """The instant at which a day begins, in UTC."""
    return datetime.combine(day, time(), UTC) if day is not None else None
