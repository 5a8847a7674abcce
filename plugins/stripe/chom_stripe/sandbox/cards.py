"""Stripe's test cards and test tokens, and what each of them does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TestCard:
    """`behaviour`: pays · refused when entered · fails when charged · second_step always · disputed after paying."""

    __test__ = False  # for pytest: no test class

    number: str
    token: str
    behaviour: str
    code: str
    brand: str
    words: str

    @property
    def shown(self) -> str:
        return " ".join(self.number[i : i + 4] for i in range(0, 16, 4))


CARDS = (
    TestCard("4242424242424242", "pm_card_visa", "pays", "", "visa", "pays"),
    TestCard("5555555555554444", "pm_card_mastercard", "pays", "", "mastercard", "pays (Mastercard)"),
    TestCard("4000000000000002", "pm_card_chargeDeclined", "refused", "generic_decline", "visa", "is declined at once"),
    TestCard("4000000000000341", "pm_card_chargeCustomerFail", "fails", "generic_decline", "visa",
             "can be saved, every charge is declined"),
    TestCard("4000000000009995", "pm_card_visa_chargeDeclinedInsufficientFunds", "refused", "insufficient_funds",
             "visa", "is declined: not enough money"),
    TestCard("4000000000000069", "pm_card_chargeDeclinedExpiredCard", "refused", "expired_card", "visa",
             "is declined: expired"),
    TestCard("4000002500003155", "pm_card_authenticationRequiredOnSetup", "pays", "", "visa",
             "asks for the bank's step when saved, then pays"),
    TestCard("4000002760003184", "pm_card_authenticationRequired", "second_step", "", "visa",
             "asks for the bank's step at every payment"),
    TestCard("4000000000000259", "pm_card_createDispute", "disputed", "fraudulent", "visa",
             "pays, then the holder disputes it"),
)  # fmt: skip


def by_number(number: str) -> TestCard | None:
    return next((card for card in CARDS if card.number == "".join(number.split())), None)


def by_token(token: str) -> TestCard | None:
    return next((card for card in CARDS if card.token == token), None)
