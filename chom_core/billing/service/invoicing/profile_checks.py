"""Is a billing profile fit to stand on an invoice? Each error names its field, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import exists, select

from chom_core.billing.models import TaxRate
from chom_core.billing.rules import vat
from chom_core.billing.service.invoicing import vat_ids
from chom_core.database import session

LIMITS = {"name": 200, "address": 1000, "country": 2, "region": 3, "vat_id": 40, "email": 254}
#: What CLDR lists among countries, and no post reaches.
_NOWHERE = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})
_STATES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR"
    " PA RI SC SD TN TX UT VT VA WA WV WI WY"
)
US_STATES = frozenset(_STATES.split())


def clean(values: Mapping[str, str]) -> dict[str, str]:
    """As they are stored: trimmed, codes in capitals, lines kept in the address alone."""
    found = {name: str(values[name]).replace("\x00", "").strip() for name in LIMITS if name in values}
    for name in ("country", "region"):
        if name in found:
            found[name] = found[name].upper()
    for name in ("name", "email", "vat_id"):
        if name in found:
            found[name] = " ".join(found[name].split())
    return found


def errors(changed: Mapping[str, str], whole: Mapping[str, str], reseller_id: UUID) -> dict[str, list[str]]:
    """What is wrong with `changed`, seen beside all of the profile (`whole`, the changes in it), by field."""
    found: dict[str, list[str]] = {}
    for name, limit in LIMITS.items():
        if len(changed.get(name, "")) > limit:
            found[name] = [_("At most %(count)s characters.", count=limit)]
    if found:
        return found
    if changed.get("name") == "":
        found["name"] = [_("Say who the invoice is for.")]
    if changed.get("email") and not _mail(changed["email"]):
        found["email"] = [_("This is not an e-mail address.")]
    if changed.get("country") and not is_country(changed["country"]):
        found["country"] = [_("Give the country as two letters, for example US or DE.")]
    if not found.get("country") and changed.keys() & {"country", "region", "vat_id", "address"}:
        found |= _together(whole, reseller_id)
    return found


def _together(whole: Mapping[str, str], reseller_id: UUID) -> dict[str, list[str]]:
    """What only shows where country, region, address and number are seen beside each other."""
    found: dict[str, list[str]] = {}
    country, region, number = whole["country"], whole["region"], whole["vat_id"]
    if country == "US" and region not in US_STATES and (region or _taxed_by_region(reseller_id, country)):
        found["region"] = [_("Give the state as two letters, for example CA: the tax depends on it.")]
    if number and not country:
        found["country"] = [_("Say which country the tax number is of.")]
    elif number and vat_ids.compact(number, country) is None:
        found["vat_id"] = [vat_ids.complaint(number, country)]
    elif number and vat.member(country) and not whole["address"]:
        found["address"] = [_("An invoice to a company needs its address: street, postcode and town.")]
    return found


def _taxed_by_region(reseller_id: UUID, country: str) -> bool:
    rate = (TaxRate.reseller_id == reseller_id, TaxRate.country == country, TaxRate.region != "")
    return bool(session().scalar(select(exists().where(*rate))))


def is_country(code: str) -> bool:
    """Two letters of a country that post reaches."""
    return code in _countries()


def _mail(address: str) -> bool:
    local, _at, host = address.rpartition("@")
    return bool(local) and "." in host and " " not in address and not host.startswith(".")


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    from babel import Locale  # the names of the world take 0.1 s to load

    names = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in names if len(code) == 2 and code.isalpha()) - _NOWHERE
