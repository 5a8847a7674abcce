"""The demo's company as values, read from `company.toml` beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from chom_core.values.principal import Role


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody to enter the demo as. `staff` is true for the operator's own people."""

    name: str
    email: str
    role: Role
    about: str
    organisation: str
    staff: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """An organisation as the demo wants it. `features`: plugin → the note staff left when they switched it on.

    `months`: since when it has its plan, or settles; `use`: meter → what it uses in a month by now. `settlement`: how a
    reseller settles; `shops`: plan → how many small customers it has. `unpaid`: since how many days its last renewal
    is refused; `late`: the same of a reseller's first shops. `disputed`: its bank takes the first payment back.
    `asks`: what it sets up in features, by their API.
    """

    name: str
    about: str
    people: tuple[Persona, ...]
    kind: str = "customer"
    parent: str = ""
    zone: str = "UTC"
    country: str = ""
    address: str = ""
    plan: str = ""
    months: int = 0
    use: Mapping[str, float] = field(default_factory=dict)
    features: Mapping[str, str] = field(default_factory=dict)
    services: tuple[Mapping[str, str], ...] = ()
    sells: tuple[Mapping[str, Any], ...] = ()
    settlement: Literal["", "wholesale", "share"] = ""
    shops: Mapping[str, int] = field(default_factory=dict)
    late: tuple[int, ...] = ()
    unpaid: int = 0
    disputed: bool = False
    asks: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Company:
    """The operator and everybody around it."""

    name: str
    legal_name: str
    currency: str
    address: str
    country: str
    support_email: str
    features: tuple[str, ...]
    staff: tuple[Persona, ...]
    organisations: tuple[Wanted, ...]

    @property
    def people(self) -> tuple[Persona, ...]:
        return (*self.staff, *(person for wanted in self.organisations for person in wanted.people))

    def brief(self) -> Company:
        """The same people as if they had come today: no months lie behind them, and nobody has built much yet."""
        new = (replace(one, months=0, services=one.services[:1]) for one in self.organisations)
        return replace(self, organisations=tuple(new))

    def persona(self, email: str) -> Persona | None:
        return next((person for person in self.people if person.email == email), None)


@lru_cache(maxsize=1)
def company() -> Company:
    """Lanternworks."""
    data = tomllib.loads((Path(__file__).parent / "company.toml").read_text())
    operator = data["operator"]
    people = _people(operator.pop("people"), operator["name"], staff=True)
    features = tuple(operator.pop("features"))
    organisations = tuple(_wanted(item) for item in data["organisations"])
    return Company(**operator, features=features, staff=people, organisations=organisations)


def _wanted(item: dict[str, Any]) -> Wanted:
    item["people"] = _people(item["people"], item["name"])
    item |= {name: tuple(item.get(name, ())) for name in ("services", "sells", "late", "asks")}
    return Wanted(**item)


def _people(items: list[dict[str, str]], organisation: str, *, staff: bool = False) -> tuple[Persona, ...]:
    return tuple(
        Persona(
            name=item["name"], email=item["email"], role=Role(item["role"]), about=item["about"],
            organisation=organisation, staff=staff,
        )
        for item in items
    )  # fmt: skip
