"""What is sold, to whom and by whom, and the bill it makes: what a preview shows and an invoice freezes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod


class PlanShape(StrEnum):
    """CONCEPTS §1: a pool for sites, one service with a price of its own, or something added to either."""

    HOSTING = "hosting"
    SERVICE = "service"
    ADDON = "addon"


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody is about to buy. `plan` is the plan's code; `service_name` names the service of a service plan."""

    plan: str
    period: BillingPeriod = BillingPeriod.MONTHLY
    currency: str = "USD"
    quantity: int = 1
    service_name: str = ""
    promotion_code: str = ""


@dataclass(frozen=True, slots=True)
class Customer:
    """The customer as the invoice will freeze it. `country` is ISO 3166-1 alpha-2, empty where not yet known.

    `region` is the part of ISO 3166-2 after the hyphen: a US state's two letters.
    """

    tenant_id: UUID
    name: str = ""
    address: str = ""
    country: str = ""
    vat_id: str = ""
    email: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class SellerFacts:
    """The seller as the invoice will freeze it. `oss`: registered for the One Stop Shop of the EU's VAT."""

    seller_id: UUID
    legal_name: str
    address: str = ""
    country: str = ""
    tax_id: str = ""
    oss: bool = True


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line: `amount` is net, rounded once, here. `kind`: plan, service, addon, usage, discount, charge, credit.

    `unit` is the price of one, for one billing period. A line without a period is a thing done once. `source` is what
    it is for (`item:<id>`, `coupon:<key>`), `details` what explains it. `discount` and `tax` are its shares of the
    bill's.
    """

    kind: str
    description: str
    amount: Money
    quantity: Decimal = Decimal(1)
    unit: Money | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    plan: str = ""
    taxable: bool = True
    proposed_by: str = ""
    source: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    discount: Money | None = None
    tax: Money | None = None


@dataclass(frozen=True, slots=True)
class RateTax:
    """A bill's tax at one rate (percent): `base` is the net of its lines, after discounts."""

    rate: Decimal
    base: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class Bill:
    """A rated bill: what a preview shows and an invoice freezes. `total` is subtotal plus tax, never below zero.

    `tax_rates`: one row for each rate, where lines bear several; else `tax_rate` is the rate of all.
    """

    currency: str
    lines: tuple[BillLine, ...]
    subtotal: Money
    tax: Money
    total: Money
    tax_title: str = ""
    tax_rate: Decimal = Decimal(0)
    tax_note: str = ""
    tax_rates: tuple[RateTax, ...] = ()
