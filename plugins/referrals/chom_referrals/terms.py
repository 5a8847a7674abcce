"""What a programme pays: pure sums. A referral keeps the terms of the day it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chom_sdk import Money

TIERS = ("bronze", "silver", "gold", "platinum")


@dataclass(frozen=True, slots=True)
class Terms:
    """`type` fixed: `fixed` once, for the first paid invoice. `type` percent: `first` % of the first invoice and
    `percent` % of those after it, `invoices` in all (0: for ever), `cap` at most by one newcomer (0: none).

    The newcomer pays `referee_percent` % less for the first `referee_months` months. `pending_days` pass before what
    was earned may be paid out, as credit where `as_credit`.
    """

    type: str
    fixed: Decimal
    first: Decimal
    percent: Decimal
    invoices: int
    cap: Decimal
    currency: str
    pending_days: int
    referee_percent: Decimal
    referee_months: int
    as_credit: bool

    def as_json(self) -> dict[str, Any]:
        """For the referral's row."""
        return {
            name: str(value) if isinstance(value, Decimal) else value
            for name in self.__slots__
            for value in (getattr(self, name),)
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Terms:
        """As they were promised."""
        numbers = ("fixed", "first", "percent", "cap", "referee_percent")
        held: dict[str, Any] = {
            name: Decimal(kept[name]) if name in numbers else kept[name] for name in cls.__slots__
        }
        return cls(**held)

    def commission(self, nth: int, base: Money, earned: Money, bonus: Decimal = Decimal(0)) -> Money:
        """What the `nth` paid invoice earns (from 1). `earned`: by this newcomer before, in the same currency.

        `bonus`: the tier's points on top of the percentage. Rounded half up, never more than `base` or the cap's rest.
        """
        if self.type == "fixed":
            return Money.of(self.fixed, self.currency) if nth == 1 else Money.zero(self.currency)
        if self.invoices and nth > self.invoices:
            return Money.zero(base.currency)
        rate = min((self.first if nth == 1 else self.percent) + bonus, Decimal(100)) / 100
        amount = base.times(rate)
        if self.cap:
            amount = min(amount, max(Money.of(self.cap, base.currency) - earned, Money.zero(base.currency)))
        return amount


def of_settings(values: Mapping[str, Any], programme: str, agreed: Decimal | None = None) -> Terms:
    """A programme's terms as the settings stand; `agreed` replaces its percentages."""
    own = {
        name: values[f"{programme}_{name}"]
        for name in ("type", "fixed", "first", "percent", "invoices", "cap")
    }
    if agreed is not None:
        own |= {"type": "percent", "first": agreed, "percent": agreed}
    return Terms(
        **own, currency=values["currency"], pending_days=values["pending_days"],
        referee_percent=values["referee_percent"], referee_months=values["referee_months"],
        as_credit=programme == "customer",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tier:
    """Where a referrer stands: its name, the points it adds, how many conversions the next one takes (0: the top)."""

    name: str
    bonus: Decimal
    missing: int


def tier(values: Mapping[str, Any], conversions: int) -> Tier:
    """The tier after `conversions` newcomers who paid."""
    steps = [("bronze", 0, Decimal(0))]
    steps += [(name, values[f"{name}_at"], values[f"{name}_bonus"]) for name in TIERS[1:]]
    steps.sort(key=lambda step: step[1])
    reached = [step for step in steps if conversions >= step[1]][-1]
    ahead = [step for step in steps if step[1] > conversions]
    return Tier(reached[0], reached[2], ahead[0][1] - conversions if ahead else 0)
