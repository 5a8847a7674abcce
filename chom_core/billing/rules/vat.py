"""Standard rates of VAT in the European Union, as dated data, and the places whose customers count as a member's.

Hosting and software are electronically supplied services: the standard rate holds in every member state. Each rate
counts from midnight UTC of its first day. As of November 2026, from the rates that member states notify to the
Commission ("Taxes in Europe" database); the temporary cuts since 2020 are in it. A seller's own `tax_rate` goes first.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

#: Country → (first day, rate in percent), oldest first. The first day of the oldest is long ago on purpose.
_ALWAYS = "2000-01-01"
_RATES: dict[str, tuple[tuple[str, str], ...]] = {
    "AT": ((_ALWAYS, "20"),),
    "BE": ((_ALWAYS, "21"),),
    "BG": ((_ALWAYS, "20"),),
    "CY": ((_ALWAYS, "19"),),
    "CZ": ((_ALWAYS, "21"),),
    "DE": ((_ALWAYS, "19"), ("2020-07-01", "16"), ("2021-01-01", "19")),
    "DK": ((_ALWAYS, "25"),),
    "EE": ((_ALWAYS, "20"), ("2024-01-01", "22"), ("2025-07-01", "24")),
    "ES": ((_ALWAYS, "21"),),
    "FI": ((_ALWAYS, "24"), ("2024-09-01", "25.5")),
    "FR": ((_ALWAYS, "20"),),
    "GR": ((_ALWAYS, "24"),),
    "HR": ((_ALWAYS, "25"),),
    "HU": ((_ALWAYS, "27"),),
    "IE": ((_ALWAYS, "23"), ("2020-09-01", "21"), ("2021-03-01", "23")),
    "IT": ((_ALWAYS, "22"),),
    "LT": ((_ALWAYS, "21"),),
    "LU": ((_ALWAYS, "17"), ("2023-01-01", "16"), ("2024-01-01", "17")),
    "LV": ((_ALWAYS, "21"),),
    "MT": ((_ALWAYS, "18"),),
    "NL": ((_ALWAYS, "21"),),
    "PL": ((_ALWAYS, "23"),),
    "PT": ((_ALWAYS, "23"),),
    "RO": ((_ALWAYS, "19"), ("2025-08-01", "21")),
    "SE": ((_ALWAYS, "25"),),
    "SI": ((_ALWAYS, "22"),),
    "SK": ((_ALWAYS, "20"), ("2025-01-01", "23")),
}
#: Monaco is taxed as France is; Greece writes its own VAT ids with EL.
_COUNTS_AS = {"MC": "FR", "EL": "GR"}
MEMBERS = frozenset(_RATES)


def member(country: str) -> str:
    """The member state whose VAT holds for `country`; empty outside the Union."""
    code = _COUNTS_AS.get(country.upper(), country.upper())
    return code if code in MEMBERS else ""


def rate(country: str, on: date) -> Decimal:
    """The standard rate of a member state on a day, in percent. KeyError outside the Union."""
    found = _RATES[member(country)]
    return Decimal([value for first, value in found if date.fromisoformat(first) <= on][-1])
