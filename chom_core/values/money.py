"""Money: integer minor units and a currency. Rates are Decimal; rounding happens once, at the line, half up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """Digits after the decimal point of `currency` by CLDR (JPY 0, USD 2, KWD 3)."""
    from babel.core import get_global

    fractions = get_global("currency_fractions")
    digits: int = fractions.get(currency, fractions["DEFAULT"])[0]
    return digits


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units (cents) of one currency. Amounts of two currencies never add."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.amount, bool) or not isinstance(self.amount, int):
            raise TypeError(f"Money takes whole minor units, not {self.amount!r}")
        code = self.currency
        if len(code) != 3 or not (code.isascii() and code.isalpha() and code.isupper()):
            raise ValueError(f"{self.currency!r} is not an ISO 4217 currency code")

    @classmethod
    def of(cls, major: Decimal | str | int, currency: str) -> Money:
        """Money from major units: `Money.of("29.00", "USD")`. Refuses what has more digits than the currency."""
        if isinstance(major, (bool, float)):
            raise TypeError(f"Money is made of Decimal, text or whole numbers, not {major!r}")
        try:  # in whole numbers: Decimal's own arithmetic silently rounds to 28 digits
            top, bottom = Decimal(major).as_integer_ratio()
        except (InvalidOperation, OverflowError, ValueError):
            raise ValueError(f"{major!r} is not an amount") from None
        units, rest = divmod(top * 10 ** exponent(currency), bottom)
        if rest:
            raise ValueError(f"{major} has more digits than {currency} knows")
        return cls(units, currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    @property
    def major(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.amount).scaleb(-exponent(self.currency))

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, count: int) -> Money:
        return Money(self.amount * count, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __bool__(self) -> bool:
        return self.amount != 0

    def times(self, rate: Decimal) -> Money:
        """`rate` of this money, rounded half up (away from zero) to the minor unit: the one place where it rounds."""
        exact = Decimal(self.amount) * rate
        return Money(int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)), self.currency)

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """Split by `weights` (≥ 0, some > 0) without losing a unit; left-over units go to the largest remainders."""
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights must be whole numbers ≥ 0, at least one above 0")
        sign, pot = (-1, -self.amount) if self.amount < 0 else (1, self.amount)
        shares = [pot * weight // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(pot * weights[i] % total), i))
        for i in by_remainder[: pot - sum(shares)]:
            shares[i] += 1
        return [Money(sign * share, self.currency) for share in shares]

    def format(self, locale: str = "en_US") -> str:
        """For people: `$1,650.00`."""
        from babel.numbers import format_currency

        return format_currency(self.major, self.currency, locale=locale)

    def __str__(self) -> str:
        return f"{self.major} {self.currency}"
