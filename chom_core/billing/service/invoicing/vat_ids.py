"""VAT and tax numbers: their form and check digits by python-stdnum, said in words a person can act on."""

from __future__ import annotations

from functools import lru_cache

from flask_babel import gettext as _

from chom_core.billing.rules import vat

#: What a number of a country looks like; numbers of nobody.
_LOOKS = {
    "AT": "ATU12345675", "BE": "BE0123456749", "BG": "BG123456786", "CY": "CY10000001E", "CZ": "CZ12345679",
    "DE": "DE123456788", "DK": "DK12345674", "EE": "EE123456780", "ES": "ESB12345674", "FI": "FI12345671",
    "FR": "FR11123456782", "GR": "EL123456783", "HR": "HR12345678903", "HU": "HU12345676", "IE": "IE1234567T",
    "IT": "IT12345670017", "LT": "LT123456715", "LU": "LU12345613", "LV": "LV40003009497", "MT": "MT12345634",
    "NL": "NL123456782B90", "PL": "PL1234567883", "PT": "PT123456789", "RO": "RO1234567897", "SE": "SE123456789701",
    "SI": "SI12345679", "SK": "SK1234567895",
}  # fmt: skip


def is_business(number: str, member: str) -> bool:
    """Is this a valid VAT id of the member state `member`?"""
    return bool(number) and compact(number, member) is not None


@lru_cache(maxsize=4096)
def compact(number: str, country: str) -> str | None:
    """The number as it is printed (DE123456788), or None where it is no number of `country`.

    Outside the Union only what python-stdnum knows is checked; any other number stays as it was typed.
    """
    from stdnum.exceptions import ValidationError
    from stdnum.util import get_cc_module

    country = country.upper()
    member = vat.member(country)
    if member:
        prefix = "EL" if member == "GR" else member
        bare = "".join(char for char in number.upper() if char.isalnum())
        named = bare[:2] in ({prefix, member})
        if bare[:2].isalpha() and not named and bare[:2] in (vat.MEMBERS | {"EL", "XI"}):
            return None  # of another member state
        check = get_cc_module(member.lower(), "vat")
        assert check is not None  # python-stdnum knows every member's
        for candidate in (bare[2:], bare) if named else (bare,):
            try:
                valid = str(check.validate(candidate))
            except ValidationError:
                continue
            return prefix + (valid[2:] if valid[:2] in (prefix, member) else valid)
        return None
    check = get_cc_module(country.lower(), "vat") if country else None
    if check is None:
        return " ".join(number.split())
    try:
        return str(check.validate(number))
    except ValidationError:
        return None


def complaint(number: str, country: str) -> str:
    """What a customer is told of a number that `compact` does not know, and what to do."""
    if vat.member(country) not in _LOOKS:
        return f"{mistake(number, country)} {_('Check it digit by digit, or leave it empty.')}"
    hint = _("Check it on a letter of your tax office, or leave it empty to buy as a person.")
    return f"{mistake(number, country)} {hint}"


def mistake(number: str, country: str) -> str:
    """What is wrong with a number that `compact` does not know."""
    looks = _LOOKS.get(vat.member(country))
    if looks is None:
        return _("This is not a valid tax number of %(country)s.", country=country)
    return _(
        "This is not a valid VAT id of %(country)s: one looks like %(example)s.",
        country=country,
        example=looks,
    )
