"""Unpaid invoices, the billing profile and documents over the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chom_core.billing import reads
from chom_core.billing.api.base import api
from chom_core.billing.pages.profile import attachment
from chom_core.billing.schemas.dunning import ProfileSchema, UnpaidSchema
from chom_core.billing.service.invoicing import documents, sellers


@api.get("/unpaid", scope="billing:read", out=UnpaidSchema, many=True)
def unpaid_list() -> Any:
    """Invoices that are being asked for: how far each is, and when its services would be suspended."""
    return reads.unpaid_list()


@api.get("/profile", scope="billing:read", out=ProfileSchema)
def profile() -> Any:
    """Who the next invoices are for."""
    known = sellers.profile()
    return {name: getattr(known, name) for name in sellers.PROFILE_FIELDS}


@api.put("/profile", scope="billing:write", into=ProfileSchema, out=ProfileSchema)
def profile_put(body: dict[str, Any]) -> Any:
    """Change it. A VAT id is checked against the country; what is wrong is said field by field."""
    sellers.update_profile(body)
    return profile()


@api.get("/invoices/<uuid:invoice_id>/pdf", scope="billing:read")
def invoice_pdf(invoice_id: UUID) -> Any:
    """One finalised invoice as a PDF file."""
    return attachment(documents.invoice_pdf(invoice_id))


@api.get("/credit-notes/<uuid:note_id>/pdf", scope="billing:read")
def credit_note_pdf(note_id: UUID) -> Any:
    """One credit note as a PDF file."""
    return attachment(documents.credit_note_pdf(note_id))
