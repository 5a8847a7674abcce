"""A reseller's settlement over the API: its terms, and each month that is closed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import gettext as _

from chom_core.billing.api.base import api
from chom_core.billing.reads import settlement as reads
from chom_core.billing.schemas import settlement as schemas
from chom_core.values.errors import NotFound


@api.get("/settlement", scope="billing:read", out=schemas.SettlementSchema)
def settlement() -> Any:
    """The terms of the current reseller, its seats, and what the running month costs before use."""
    found = reads.settlement()
    if found is None:
        raise NotFound(_("Nothing is agreed with this organisation as a reseller."))
    seats = reads.seats()
    return {
        "mode": found.mode, "base": found.base, "seat": found.seat, "share_percent": found.share_percent,
        "pool": found.pool, "fixed": found.fixed, "month_start": found.month.start, "month_end": found.month.end,
        "seats": seats, "before_use": found.before_use(seats),
    }  # fmt: skip


@api.get("/settlement/months", scope="billing:read", out=schemas.MonthStatementSchema, many=True)
def months() -> Any:
    """The newest 36 settled months."""
    return reads.month_statements()


@api.get("/settlement/months/<uuid:month_id>", scope="billing:read", out=schemas.MonthStatementSchema)
def month(month_id: UUID) -> Any:
    """One settled month, customer by customer."""
    return reads.month_statement(month_id)
