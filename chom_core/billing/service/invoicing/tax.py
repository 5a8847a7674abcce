"""The built-in tax provider: the European Union, and a US state's rate as the seller sets it.

It answers where no plugin does. It only reads and asks nobody outside, so preview, estimate and invoice agree; that a
VAT id exists is for its check digits and form (service/vat_ids.py), not for a call in the middle of a bill.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.audit.service import Subject, record
from chom_core.billing.models import Seller, TaxRate
from chom_core.billing.rules import vat
from chom_core.billing.service.invoicing import sellers, vat_ids
from chom_core.billing.service.invoicing.profile_checks import US_STATES
from chom_core.database import clock, current, session
from chom_core.values.billing import TaxAnswer, TaxQuery
from chom_core.values.errors import Invalid

#: Printed on the invoice, for tax offices: in English whatever the reader's language, since it is frozen with it.
REVERSE_CHARGE = (
    "Reverse charge: VAT is to be accounted for by the recipient (Art. 196 Directive 2006/112/EC)."
)
OUTSIDE = "Not subject to EU VAT: the place of supply is outside the European Union."


def answer(query: TaxQuery) -> TaxAnswer | None:
    """The tax on a bill by the built-in rules; None where they have no opinion: nothing is charged then.

    A seller without a country has none. EU seller: own country's rate at home (and where the customer's country is
    not known yet); a business of another member with a valid VAT id of that country: reverse charge; a person there:
    their country's rate under the One Stop Shop, else the seller's own; outside the Union: none, with a note.
    """
    country, region, on = query.customer.country.upper(), query.customer.region.upper(), query.at.date()
    home, own = vat.member(query.seller.country), rates(query.seller.seller_id)
    if not home:
        return _set_rate(own, country, region, on)
    there = vat.member(country) if country else home
    if not there:
        return _set_rate(own, country, region, on) or TaxAnswer("VAT", Decimal(0), OUTSIDE)
    if there != home and vat_ids.is_business(query.customer.vat_id, there):
        return TaxAnswer("VAT", Decimal(0), REVERSE_CHARGE)
    where = there if there == home or query.seller.oss else home
    return _set_rate(own, where, "", on) or TaxAnswer(f"VAT {where}", vat.rate(where, on))


def _set_rate(own: Sequence[TaxRate], country: str, region: str, on: date) -> TaxAnswer | None:
    """The newest rate that the seller has set for the place: the region's, else the whole country's."""
    for place in dict.fromkeys((region, "")):
        known = [row for row in own if (row.country, row.region) == (country, place)]
        begun = [row for row in known if row.effective_from <= on]
        if begun:
            return TaxAnswer(begun[-1].title, begun[-1].rate)
    return None


def rates(seller_id: UUID) -> list[TaxRate]:
    """Every rate that this seller has set, oldest first; read once for each unit of work.

    None where the current organisation may not read who sells to it: a reseller buys from the platform.
    """
    cache = current().cache
    if (TaxRate, seller_id) not in cache:
        owner = select(Seller.reseller_id).where(Seller.id == seller_id).scalar_subquery()
        query = select(TaxRate).where(TaxRate.reseller_id == owner)
        cache[TaxRate, seller_id] = list(
            session().scalars(query.order_by(TaxRate.effective_from, TaxRate.id))
        )
    found: list[TaxRate] = cache[TaxRate, seller_id]
    return found


def set_rate(
    country: str, rate: Decimal, *, region: str = "", title: str = "", effective_from: date | None = None
) -> TaxRate:
    """Set what the current organisation, as a seller, charges in a place from a day on (default: today). Audited.

    Past days stay as they were: invoices of then are frozen. The same place and day again replaces the rate. Raises
    Invalid (`fields`), and NotFound and Conflict as `sellers.itself`.
    """
    country, region = country.strip().upper(), region.strip().upper()
    start = effective_from or clock.now().date()
    _check(country, region, rate)
    seller_id = sellers.itself()
    query = select(TaxRate).where(
        TaxRate.reseller_id == seller_id, TaxRate.country == country, TaxRate.region == region,
        TaxRate.effective_from == start,
    )  # fmt: skip
    found = session().scalar(query)
    if found is None:
        found = TaxRate(reseller_id=seller_id, country=country, region=region, effective_from=start)
        session().add(found)
    found.rate, found.title = rate, (title.strip() or f"Tax {region or country}")[:60]
    session().flush()
    for key in [key for key in current().cache if isinstance(key, tuple) and key[0] is TaxRate]:
        del current().cache[key]
    label = f"{country} {region}".strip()
    record(
        "tax_rate.set", Subject("tax_rate", found.id, label), after={"rate": str(rate), "from": f"{start}"}
    )
    sellers.changed()
    return found


def _check(country: str, region: str, rate: Decimal) -> None:
    errors: dict[str, list[str]] = {}
    if not (len(country) == 2 and country.isalpha()):
        errors["country"] = [_("Give the country as two letters, for example US or DE.")]
    if country == "US" and region not in US_STATES:
        errors["region"] = [_("Give the state as two letters, for example CA.")]
    if not isinstance(rate, Decimal) or not rate.is_finite() or not 0 <= rate < 100:
        errors["rate"] = [_("Give the rate in percent, from 0 to below 100.")]
    elif rate != round(rate, 4):
        errors["rate"] = [_("At most four digits after the point.")]
    if errors:
        raise Invalid(_("This rate cannot be set."), fields=errors)
