"""The questions that tax and line hooks are asked, and what plugins answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from chom_core.values.billing.bills import BillLine, Customer, SellerFacts
from chom_core.values.money import Money


@dataclass(frozen=True, slots=True)
class TaxQuery:
    """Asked once per bill, preview and invoice alike: who sells what to whom, at which business time."""

    seller: SellerFacts
    customer: Customer
    currency: str
    lines: tuple[BillLine, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class TaxAnswer:
    """The tax on all taxable lines. `rate` in percent (19, not 0.19); `note` is printed («Reverse charge …»).

    `rates`: one for each of the query's lines, in their order, where not all bear the same.
    """

    title: str
    rate: Decimal
    note: str = ""
    rates: tuple[Decimal, ...] = ()

    def __post_init__(self) -> None:
        for rate in (self.rate, *self.rates):
            if not isinstance(rate, Decimal) or not 0 <= rate < 1000:
                raise ValueError(f"a tax rate is a Decimal in percent, from 0; this is {rate!r}")


@dataclass(frozen=True, slots=True)
class LinesQuery:
    """Asked once per bill: the lines so far. `subscription_id` is None before there is one."""

    customer: Customer
    currency: str
    lines: tuple[BillLine, ...]
    at: datetime
    subscription_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class LineProposal:
    """A line a plugin wants: a negative amount takes off (never more than what the bill holds), a positive adds."""

    description: str
    amount: Money
    kind: Literal["discount", "charge", "usage", "addon"] = "discount"
    taxable: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Money):
            raise TypeError(f"a line's amount is Money, not {type(self.amount).__name__}")


@dataclass(frozen=True, slots=True)
class PurchaseQuery:
    """Something is about to be bought: `amount` is what is charged now, before tax; `title` names it for people.

    `kind`: plan (hosting), service (one with a price of its own) or change (of a subscription, for `service_id` where
    it is a service's). `on_its_way`: what else is being bought and not yet paid, in the same currency, before tax.
    """

    tenant_id: UUID
    kind: str
    title: str
    amount: Money
    on_its_way: Money
    service_id: UUID | None = None
