"""The test cards, and what each of them does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chom_sdk import Invalid, clock

DECLINED = {
    "declined": (
        "The bank declined the card.",
        "Try another card, or ask your bank.",
    ),
    "insufficient_funds": (
        "There is not enough money on the card.",
        "Try another card, or put money on this one and try again.",
    ),
    "authentication_required": (
        "The bank wants you to approve this payment yourself.",
        "Open the invoice and pay it there; your bank will ask you.",
    ),
    "authentication_failed": (
        "The payment was not approved at the bank.",
        "Try again and approve it, or use another card.",
    ),
}


@dataclass(frozen=True, slots=True)
class TestCard:
    """A card number with its behaviour: pays, declined, insufficient_funds, second_step, later, disputed."""

    __test__ = False  # for pytest: no test class

    number: str
    behaviour: str
    brand: str
    words: str

    @property
    def shown(self) -> str:
        return " ".join(self.number[i : i + 4] for i in range(0, 16, 4))


CARDS = (
    TestCard("4242424242424242", "pays", "Visa", "pays"),
    TestCard("4000000000000002", "declined", "Visa", "is declined"),
    TestCard("4000000000009995", "insufficient_funds", "Visa", "is declined: not enough money"),
    TestCard("4000002760003184", "second_step", "Visa", "asks for a second step at the bank"),
    TestCard("4000000000000341", "later", "Visa", "pays now, is declined at renewals"),
    TestCard("4000000000000259", "disputed", "Visa", "pays, and its bank takes it back"),
    TestCard("5555555555554444", "pays", "Mastercard", "pays (Mastercard)"),
)


@dataclass(frozen=True, slots=True)
class Entered:
    """What a person entered, without the number."""

    card: TestCard
    month: int
    year: int


def read(fields: Mapping[str, str]) -> Entered:
    """The card in a submitted form: one that was clicked, or one that was typed. Raises Invalid with `fields`."""
    typed = "".join(fields.get("card_number", "").split()).replace("-", "")
    number = typed or "".join(fields.get("test_card", "").split())
    found = next((card for card in CARDS if card.number == number), None)
    errors: dict[str, list[str]] = {}
    if not number:
        errors["card_number"] = ["Choose a test card, or type its number."]
    elif found is None:
        errors["card_number"] = ["This sandbox takes its test cards only. Please do not enter a real card."]
    month, year = _expiry(fields.get("card_expiry", "") if typed else "", errors)
    if errors or found is None:
        raise Invalid("The card could not be read.", fields=errors)
    return Entered(found, month, year)


def _expiry(text: str, errors: dict[str, list[str]]) -> tuple[int, int]:
    now = clock.now()
    if not text.strip():
        return 12, now.year + 3
    month, _, year = text.replace(" ", "").partition("/")
    if not (month.isdigit() and year.isdigit() and 1 <= int(month) <= 12 and len(year) in (2, 4)):
        errors["card_expiry"] = ["Write the expiry as MM/YY."]
        return 1, now.year
    full = int(year) + 2000 if len(year) == 2 else int(year)
    if (full, int(month)) < (now.year, now.month):
        errors["card_expiry"] = ["This card has expired."]
    return int(month), full
