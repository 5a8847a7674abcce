"""Who is in the simulation: drawn from the seed alone, so that the same seed gives the same people for ever."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

#: Nobody can own an address below it (RFC 2606).
DOMAIN = "simulation.invalid"
#: Test cards of the sandbox (its page lists what each does).
GOOD, OTHER, LATER, DECLINED, POOR = (
    "4242424242424242", "5555555555554444", "4000000000000341", "4000000000000002", "4000000000009995",
)  # fmt: skip

FIRST = (
    "Amber", "Birch", "Cedar", "Copper", "Dune", "Ember", "Fjord", "Granite", "Harbour", "Indigo", "Juniper", "Kestrel",
    "Lantern", "Maple", "North", "Ochre", "Pebble", "Quarry", "River", "Saffron", "Thistle", "Umber", "Violet",
)  # fmt: skip
SECOND = (
    "Architects", "Bakery", "Bikes", "Books", "Clinic", "Coffee", "Dental", "Events", "Films", "Florists", "Games",
    "Interiors", "Labs", "Law", "Motors", "Music", "Outdoor", "Pottery", "Press", "Records", "Studio", "Tours", "Yoga",
)  # fmt: skip
PEOPLE = (
    "Ana Pereira", "Ben Holt", "Chloe Martin", "Dev Anand", "Elif Kaya", "Finn Larsen", "Grace Oduya", "Hugo Weiss",
    "Ida Berg", "Jun Sato", "Kara Novak", "Leo Rossi", "Mina Farah", "Noor Aziz", "Owen Price", "Pia Lund",
)  # fmt: skip
#: Country and zone. The rates of tax follow from the seller's country and these.
PLACES = (
    ("US", "America/New_York"), ("US", "America/Los_Angeles"), ("GB", "Europe/London"), ("DE", "Europe/Berlin"),
    ("PT", "Europe/Lisbon"), ("IN", "Asia/Kolkata"), ("AU", "Australia/Sydney"), ("BR", "America/Sao_Paulo"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Actor:
    """An organisation and its owner. `parent`: the number of its reseller. `joins`: the month (0 is the first)."""

    number: int
    seed: int
    name: str
    owner: str
    country: str
    zone: str
    joins: int
    kind: str = "customer"
    parent: int | None = None
    card: str = GOOD

    @property
    def email(self) -> str:
        """Which also tells, in the database, whose it is."""
        return f"owner{self.number}@s{self.seed}.{DOMAIN}"

    def random(self, *what: object) -> Random:
        """Chance of this actor's own, for one purpose: what others do changes nothing of it."""
        return Random(f"{self.seed}/{self.number}/{'/'.join(map(str, what))}")  # noqa: S311 (a simulation)


def cast(seed: int, months: int, tenants: int) -> list[Actor]:
    """`tenants` organisations: about a third are customers of resellers, of which there is one in thirty."""
    resellers = max(1, tenants // 30) if tenants > 3 else 0
    return [_actor(seed, number, months, tenants, resellers) for number in range(tenants)]


def _actor(seed: int, number: int, months: int, tenants: int, resellers: int) -> Actor:
    chance = Random(f"{seed}/{number}/who")  # noqa: S311
    country, zone = chance.choice(PLACES)
    name = f"{chance.choice(FIRST)} {chance.choice(SECOND)} {number + 1}"
    facts = (number, seed, name, chance.choice(PEOPLE), country, zone)
    if number < resellers:
        return Actor(*facts, joins=0, kind="reseller")
    # a third is there at the start, the others come evenly, none in the very last month
    joins = 0 if chance.random() < 0.33 else chance.randrange(max(1, months - 1))
    card = chance.choices((GOOD, OTHER, LATER), (76, 14, 10))[0]
    parent = chance.randrange(resellers) if resellers and number < resellers + tenants // 3 else None
    return Actor(*facts, joins=joins, parent=parent, card=card)
