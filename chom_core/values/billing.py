"""What crosses the billing hooks: tax, proposals of lines, and the port of payment gateways.

All amounts are `Money` (whole minor units and a currency). A gateway moves finished amounts; it never rates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable
from uuid import UUID

from chom_core.values.errors import ChomError
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
    """The customer as the invoice will freeze it. `country` is ISO 3166-1 alpha-2, empty where not yet known."""

    tenant_id: UUID
    name: str = ""
    address: str = ""
    country: str = ""
    vat_id: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class SellerFacts:
    """The seller as the invoice will freeze it."""

    seller_id: UUID
    legal_name: str
    address: str = ""
    country: str = ""
    tax_id: str = ""


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
class Bill:
    """A rated bill: what a preview shows and an invoice freezes. `total` is subtotal plus tax, never below zero."""

    currency: str
    lines: tuple[BillLine, ...]
    subtotal: Money
    tax: Money
    total: Money
    tax_title: str = ""
    tax_rate: Decimal = Decimal(0)
    tax_note: str = ""


# -- tax -------------------------------------------------------------------------------------------------------------


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
    """The tax on all taxable lines. `rate` in percent (19, not 0.19); `note` is printed («Reverse charge …»)."""

    title: str
    rate: Decimal
    note: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.rate, Decimal) or not 0 <= self.rate < 1000:
            raise ValueError(f"a tax rate is a Decimal in percent, from 0; this is {self.rate!r}")


# -- lines -----------------------------------------------------------------------------------------------------------


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


# -- gateways --------------------------------------------------------------------------------------------------------


class PaymentStatus(StrEnum):
    """What a gateway says of a payment. Only `pending` and `requires_action` can still change by themselves."""

    SUCCEEDED = "succeeded"
    AUTHORISED = "authorised"
    REQUIRES_ACTION = "requires_action"
    DECLINED = "declined"
    PENDING = "pending"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class GatewayQuery:
    """Which gateways can take this currency for this organisation's seller?"""

    tenant_id: UUID | None
    currency: str
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class CardForm:
    """The gateway's own fields of the card form: a template of the plugin and its context; core puts it in a form."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CardFormQuery:
    """For whom the fields are shown, and what went wrong in the last attempt, by field name."""

    tenant_id: UUID
    currency: str
    errors: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CardSubmission:
    """The posted fields of the gateway's form. `repr` hides them: they may hold a card number.

    `return_url`: where a gateway that takes cards on a page of its own brings the person back to (CardElsewhere).
    """

    tenant_id: UUID
    fields: Mapping[str, str] = field(repr=False)
    return_url: str = ""


class CardElsewhere(ChomError):
    """Raised by `save_method`: the card is entered on the gateway's own page, at `url`.

    The person comes back to the submission's `return_url` with fields in its query; core hands them to `save_method`
    again, which then answers the card.
    """

    status, code, title = 409, "card-elsewhere", "The card is entered on another page"

    def __init__(self, url: str) -> None:
        super().__init__("Your card is entered on the payment provider's own page.", fix=f"Open {url}")
        self.url = url


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """A card at the gateway: its reference there and what a person may see of it."""

    reference: str
    brand: str
    last4: str
    expiry_month: int
    expiry_year: int


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """One attempt. `key` comes from the business object and is kept for ever: the same key never moves money twice.

    `return_url`: where a second step brings the person back to. `off_session`: nobody is there to take a second step.
    """

    key: str
    amount: Money
    method: str
    tenant_id: UUID
    description: str
    return_url: str = ""
    off_session: bool = False


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Something done to a payment made before: capture, cancel, confirm, refund. `amount` None means all of it."""

    key: str
    reference: str
    tenant_id: UUID
    amount: Money | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PaymentResult:
    """What the gateway answers. `message` and `fix` are for the person who pays; `code` is stable, for programs."""

    status: PaymentStatus
    reference: str = ""
    url: str = ""
    code: str = ""
    message: str = ""
    fix: str = ""


@runtime_checkable
class Gateway(Protocol):
    """A payment gateway. Core calls it with no transaction open, in a job or with a short deadline.

    It raises `Unavailable` where the answer is unknown (core asks again with the same key) and `Invalid` for fields.
    """

    name: str
    title: str
    sandbox: bool

    def card_form(self, query: CardFormQuery) -> CardForm:
        """The fields that ask for a card."""
        ...

    def save_method(self, submission: CardSubmission) -> SavedMethod:
        """Keep the submitted card at the gateway. Raises Invalid with `fields`, or CardElsewhere."""
        ...

    def charge(self, request: PaymentRequest) -> PaymentResult:
        """Take the money now."""
        ...

    def authorise(self, request: PaymentRequest) -> PaymentResult:
        """Hold the money; `capture` takes it, `cancel` lets it go."""
        ...

    def confirm(self, request: FollowUp) -> PaymentResult:
        """How the payment stands now: after a second step, and whenever core lost an answer."""
        ...

    def capture(self, request: FollowUp) -> PaymentResult:
        """Take what was held."""
        ...

    def cancel(self, request: FollowUp) -> PaymentResult:
        """Let go what was held, or give up a payment that waits for its second step."""
        ...

    def refund(self, request: FollowUp) -> PaymentResult:
        """Give back what was taken, whole or in part."""
        ...


# -- payouts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PayoutQuery:
    """Which gateways can pay this currency out to vendors, affiliates and resellers?"""

    currency: str
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid: `party` as in the ledger (stable, unique), `tenant_id` the organisation whose account it is."""

    party: str
    tenant_id: UUID


@dataclass(frozen=True, slots=True)
class PayeeAccount:
    """How far a payee's account at the gateway is. `needs` names what the payee still has to tell there."""

    reference: str
    ready: bool
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Onboarding:
    """Open (or complete) the payee's account at the gateway, and come back to `return_url`."""

    payee: Payee
    return_url: str
    email: str = ""
    country: str = ""


class PayoutStatus(StrEnum):
    """pending: on its way, ask again with the same key · posted: arrived · failed: nothing moved, or it came back."""

    PENDING = "pending"
    POSTED = "posted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PayoutRequest:
    """One payout. `key` comes from the business object and is kept for ever: the same key never moves money twice."""

    key: str
    payee: Payee
    amount: Money
    description: str


@dataclass(frozen=True, slots=True)
class PayoutResult:
    """What the gateway answers. `reference` names the payout there; `message` is for people, `code` for programs."""

    status: PayoutStatus
    reference: str = ""
    code: str = ""
    message: str = ""


@runtime_checkable
class PayoutGateway(Protocol):
    """Pays money out. Core saves the payout first, then calls with no transaction open; Unavailable: not known yet."""

    name: str
    title: str
    sandbox: bool

    def account(self, payee: Payee) -> PayeeAccount | None:
        """The payee's account as the gateway has it now; None before the first onboarding."""
        ...

    def onboard(self, request: Onboarding) -> str:
        """The address of the gateway's page on which the payee opens or completes the account; short-lived."""
        ...

    def pay_out(self, request: PayoutRequest) -> PayoutResult:
        """Send the money, once per key; the same key again answers how it stands now."""
        ...

    def take_back(self, key: str, reference: str, payee: Payee, amount: Money) -> PayoutResult:
        """Reverse a payout, whole or in part, once per key: `posted` where the money is back with the seller."""
        ...
