"""The brand on every page: `brand` and its style sheet's address, in the context of whatever is drawn."""

from __future__ import annotations

from typing import Any

from flask import g, has_request_context, request
from sqlalchemy.exc import SQLAlchemyError

from chom_core.branding.service import brand_for, sheet
from chom_core.values.branding import Brand
from chom_core.values.errors import ChomError

PATH = "/theme.css"


def page_brand() -> Brand:
    """The brand of this request, looked up once. A page must appear even where the database does not answer."""
    found: Brand | None = g.get("brand")
    if found is None:
        try:
            found = brand_for(request.host)
        except (SQLAlchemyError, ChomError, RuntimeError):
            return Brand()
        g.brand = found
    return found


def context() -> dict[str, Any]:
    """`brand`, `brand_sheet` (an address that changes with the brand) and `word` (the brand's own words)."""
    if not has_request_context():
        return {}
    brand = page_brand()
    return {"brand": brand, "brand_sheet": f"{PATH}?v={sheet(brand)[1]}", "word": brand.word}
