"""Is a seller fit to issue invoices, and are its numbers nobody else's? Each error names its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from chom_core.billing.rules import vat
from chom_core.billing.service.invoicing import profile_checks, vat_ids

LIMITS = {
    "legal_name": 200,
    "address": 1000,
    "country": 2,
    "tax_id": 40,
    "number_prefix": 20,
    "note_prefix": 20,
}
NUMBERINGS = ("seller", "customer")
#: The longest that an invoice may be payable.
MOST_DAYS = 120
_PREFIX = re.compile(r"[A-Z0-9][A-Z0-9./-]*")
_SEPARATORS = "./-"


def clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """As they are stored: trimmed, codes and prefixes in capitals, lines kept in the address alone."""
    found = {name: str(values[name]).replace("\x00", "").strip() for name in LIMITS if name in values}
    for name in ("legal_name", "tax_id"):
        if name in found:
            found[name] = " ".join(found[name].split())
    for name in ("country", "number_prefix", "note_prefix"):
        if name in found:
            found[name] = found[name].upper()
    return found | {name: values[name] for name in ("numbering", "due_days", "oss") if name in values}


def errors(whole: Mapping[str, Any], customers: int) -> dict[str, list[str]]:
    """What is wrong with a seller, by field. `customers`: how many have numbers of their own already."""
    found: dict[str, list[str]] = {}
    for name, limit in LIMITS.items():
        if len(whole[name]) > limit:
            found[name] = [_("At most %(count)s characters.", count=limit)]
    if not whole["legal_name"]:
        found["legal_name"] = [_("Say who sells: the invoice names it.")]
    if whole["numbering"] not in NUMBERINGS:
        found["numbering"] = [_("Choose one of the list.")]
    days = whole["due_days"]
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= MOST_DAYS:
        found["due_days"] = [_("Between 0 and %(most)s.", most=MOST_DAYS)]
    return _place(whole) | _prefixes(whole, customers) | found


def _place(whole: Mapping[str, Any]) -> dict[str, list[str]]:
    country, number = whole["country"], whole["tax_id"]
    if country and not profile_checks.is_country(country):
        return {"country": [_("Give the country as two letters, for example US or DE.")]}
    if number and not country:
        return {"country": [_("Say which country the tax number is of.")]}
    if number and vat_ids.compact(number, country) is None:
        return {"tax_id": [vat_ids.mistake(number, country)]}
    if number and vat.member(country) and not whole["address"]:
        return {"address": [_("An invoice with VAT needs your address: street, postcode and town.")]}
    return {}


def _prefixes(whole: Mapping[str, Any], customers: int) -> dict[str, list[str]]:
    """No two documents of a seller may bear one number, whatever its series were called before.

    The digits at a number's end count up for ever, in every series. So it is enough that they can be told from what
    stands before them, that invoices and credit notes begin differently, and that a series of the seller's does not
    begin as one of a customer's did.
    """
    found: dict[str, list[str]] = {}
    invoice, note = whole["number_prefix"], whole["note_prefix"]
    for name, prefix in (("number_prefix", invoice), ("note_prefix", note)):
        if not _PREFIX.fullmatch(prefix) or not any(char.isalpha() for char in prefix):
            found[name] = [_("Capital letters, digits, and - / . between them; at least one letter: INV-.")]
        elif prefix[-1].isdigit() and (name, whole["numbering"]) != ("number_prefix", "customer"):
            found[name] = [_("It ends with a digit, which runs into the number: put a hyphen after it.")]
    if not found and _alike(invoice, note):
        found["note_prefix"] = [_("Credit notes need another beginning than invoices: CN-, for example.")]
    if not found and whole["numbering"] == "seller" and _customers(invoice) in range(1, customers + 1):
        found["number_prefix"] = [_("The invoices of one of your customers begin so. Choose another one.")]
    return found


def _alike(one: str, other: str) -> bool:
    """Does one of them go on as the other, with digits at most between?"""
    short, long = sorted((one.rstrip(_SEPARATORS), other.rstrip(_SEPARATORS)), key=len)
    return long.startswith(short) and not any(char.isalpha() for char in long[len(short) :])


def _customers(prefix: str) -> int:
    """The customer whose invoices would begin like this; 0 where nobody's would."""
    found = re.search(r"-(\d{3,})-$", prefix)
    return int(found[1]) if found else 0
