"""What the current organisation is as a seller, over the API: its details, rates of tax and ladder."""

from __future__ import annotations

from typing import Any

from msgspec.structs import asdict

from chom_core.billing.api.base import api
from chom_core.billing.models import Seller, TaxRate
from chom_core.billing.reads import tax_reports, taxed
from chom_core.billing.schemas import selling as schemas
from chom_core.billing.service.dunning import desk, rows
from chom_core.billing.service.invoicing import sellers, tax
from chom_core.database import here


@api.get("/selling", scope="billing:read", out=schemas.SellerSchema)
def seller() -> Any:
    """What the next invoices say of the seller, and how they are numbered."""
    sellers.must_sell()
    return _details(sellers.seller())


@api.put("/selling", scope="billing:write", into=schemas.SellerSchema, out=schemas.SellerSchema)
def seller_put(body: dict[str, Any]) -> Any:
    """Change it. Invoices of before are frozen. 409 where the platform sells in the reseller's place."""
    return _details(sellers.update_seller(body))


@api.get("/selling/tax-rates", scope="billing:read", out=schemas.TaxRateSchema, many=True)
def tax_rates() -> Any:
    """Every rate that the seller has set, oldest first. Those of the European Union are built in."""
    sellers.must_sell()
    return [_rate(row) for row in tax.rates(sellers.seller().id)]


@api.post("/selling/tax-rates", scope="billing:write", into=schemas.TaxRateSchema, out=schemas.TaxRateSchema)
def tax_rate_set(body: dict[str, Any]) -> Any:
    """Set a rate from a day on; the same place and day again replaces it."""
    return _rate(tax.set_rate(**body))


@api.get(
    "/selling/tax-report",
    scope="billing:read",
    into=schemas.TaxReportQuerySchema,
    out=schemas.TaxReportSchema,
)
def tax_report(query: dict[str, Any]) -> Any:
    """What was taxed where, from the first to the last day, both counted; the quarter before this one without them.

    `proven`: the ledger took up the same amounts of tax in these days.
    """
    sellers.must_sell()
    span = tax_reports.span_of(query["first"], query["last"])
    found = tax_reports.collect(span)
    made = taxed.report(span, found.documents, found.ledger)
    lines = [asdict(line) | {"rate": f"{line.rate:f}"} for line in made.lines]
    return {"start": span.start, "end": span.end, "lines": lines, "proven": made.proven}


@api.get("/selling/terms", scope="billing:read", out=schemas.TermsSchema)
def terms() -> Any:
    """The seller's ladder of unpaid invoices."""
    sellers.must_sell()
    return rows.policy(here()).data()


@api.put("/selling/terms", scope="billing:write", into=schemas.TermsSchema, out=schemas.TermsSchema)
def terms_put(body: dict[str, Any]) -> Any:
    """Change it, for invoices that fail from now on."""
    return desk.set_policy(body).data()


def _details(of: Seller) -> dict[str, Any]:
    return {name: getattr(of, name) for name in sellers.SELLER_FIELDS}


def _rate(of: TaxRate) -> dict[str, Any]:
    names = ("country", "region", "title", "effective_from")
    return {name: getattr(of, name) for name in names} | {"rate": f"{of.rate.normalize():f}"}
