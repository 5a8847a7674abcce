"""By share the platform is the seller: a reseller's customers are invoiced in its name, with its taxes and its ladder.

What a reseller's customers can read of who sells to them are the reseller's rows. So these follow the platform's.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete

from chom_core.billing.models import DunningPolicy, Seller, TaxRate
from chom_core.billing.service.dunning import rows
from chom_core.billing.service.invoicing import sellers, tax
from chom_core.database import PLATFORM_ID, here, session, transaction

_FACTS = ("legal_name", "address", "country", "tax_id", "gateway", "oss", "due_days")
_RATE = ("country", "region", "title", "rate", "effective_from")


def follow() -> None:
    """Make the current reseller's rows say what the platform's say now. Invoices of before are frozen."""
    with transaction(PLATFORM_ID):
        platform = sellers.seller()
        rates = [{name: getattr(row, name) for name in _RATE} for row in tax.rates(platform.id)]
        ladder = rows.policy(PLATFORM_ID).data()
    ours = sellers.ensure_seller(platform.legal_name, currency=platform.currency)
    for name in _FACTS:
        setattr(ours, name, getattr(platform, name))
    _number_apart(ours, platform)
    _replace(TaxRate, rates)
    _replace(DunningPolicy, [ladder])
    session().flush()


def _replace(model: type[TaxRate] | type[DunningPolicy], values: list[dict[str, Any]]) -> None:
    session().execute(delete(model).where(model.reseller_id == here()))
    session().add_all(model(reseller_id=here(), **one) for one in values)


def _number_apart(ours: Seller, platform: Seller) -> None:
    """Two invoices of one legal person bear two numbers: a reseller's series does not begin as the platform's does."""
    for name in ("number_prefix", "note_prefix"):
        theirs: str = getattr(platform, name)
        if getattr(ours, name) == theirs:
            setattr(ours, name, f"{theirs[:12].rstrip('-')}-{here().hex[-6:].upper()}-")
