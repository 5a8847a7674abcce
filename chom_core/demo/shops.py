"""The small shops that buy from a reseller: made behind the open demo, since nobody enters as them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from chom_core.demo import people
from chom_core.demo.company import Company, Persona, Wanted
from chom_core.values.principal import Role

_TOWNS = ("Ashford", "Bexhill", "Corby", "Dover", "Ely", "Frome", "Goole")
_TRADES = ("Books", "Florists", "Opticians", "Tea Rooms")


def shops(company: Company) -> Iterator[Wanted]:
    """Every shop as an organisation of the demo: one person, a plan of its reseller's, some traffic. First those whose
    card does not pay any more.
    """
    names = ((town, trade) for town in _TOWNS for trade in _TRADES)
    for reseller in company.organisations:
        wanted = (
            [code for code, count in reseller.shops.items() for _ in range(count)] if reseller.months else []
        )
        for place, (code, (town, trade)) in enumerate(zip(wanted, names, strict=False)):
            name = f"{town} {trade}"
            email = f"{town}.{trade.replace(' ', '')}@shops.example".lower()
            owner = Persona(f"{trade} of {town}", email, Role.OWNER, "", name)
            unpaid = reseller.late[place] if place < len(reseller.late) else 0
            yield Wanted(
                name, "", (owner,), parent=reseller.name, zone=reseller.zone, country=reseller.country, plan=code,
                months=1 if unpaid else 3, use={"traffic_gb": 8 + place}, unpaid=unpaid,
            )  # fmt: skip


def open_shops(company: Company) -> Iterator[str]:
    """Let them sign up and live their months, then settle what their resellers owe. Again: goes on where it stopped."""
    for wanted in shops(company):
        people.join(wanted, company, secrets.token_urlsafe(16))
        yield wanted.name
    people.settle(company)
