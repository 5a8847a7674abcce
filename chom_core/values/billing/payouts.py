"""The port of payouts: money that leaves for vendors, affiliates and resellers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from chom_core.values.money import Money


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
    """Open (or complete) the payee's account at the gateway, and come back to `return_url`.

    `sells`: payments of the payee's own customers are to be made for that account, too (a reseller).
    """

    payee: Payee
    return_url: str
    email: str = ""
    country: str = ""
    sells: bool = False


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

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def sandbox(self) -> bool: ...

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
