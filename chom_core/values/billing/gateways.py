"""The port of payment gateways: they move finished amounts and never rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from chom_core.values.errors import ChomError
from chom_core.values.money import Money


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
    """The card is entered on the gateway's own page, at `url`: `save_method` raises it, and is called again after."""

    # The person comes back to the submission's `return_url` with fields in its query; core hands them over again.
    status, code, title = 409, "card-elsewhere", "The card is entered on another page"

    url = ""

    @classmethod
    def at(cls, url: str) -> CardElsewhere:
        """The error that leads there."""
        made = cls("Your card is entered on the payment provider's own page.", fix=f"Open {url}")
        made.url = url
        return made


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
    `seller`: the reseller whose money it is; None: the platform's. A gateway whose account is the platform's hands
    the money on at once where it can, and says so (`PaymentResult.direct`).
    """

    key: str
    amount: Money
    method: str
    tenant_id: UUID
    description: str
    return_url: str = ""
    off_session: bool = False
    seller: UUID | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Something done to a payment made before: capture, cancel, confirm, refund. `amount` None means all of it."""

    key: str
    reference: str
    tenant_id: UUID
    amount: Money | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GatewayFee:
    """What the gateway keeps of a payment. `reference` names it there: it is posted once, for ever.

    `of_platform`: it is taken from the platform's account at the gateway, also where the money is a reseller's.
    """

    reference: str
    amount: Money
    of_platform: bool = False


@dataclass(frozen=True, slots=True)
class PaymentResult:
    """What the gateway answers. `message` and `fix` are for the person who pays; `code` is stable, for programs.

    `direct`: the money went to the seller's own account at the gateway. `fee`: what the gateway kept, where it says so
    with its answer; where it says so later, the verb `charged_fee` takes it.
    """

    status: PaymentStatus
    reference: str = ""
    url: str = ""
    code: str = ""
    message: str = ""
    fix: str = ""
    direct: bool = False
    fee: GatewayFee | None = None


@runtime_checkable
class Gateway(Protocol):
    """A payment gateway. Core calls it with no transaction open, in a job or with a short deadline.

    It raises `Unavailable` where the answer is unknown (core asks again with the same key) and `Invalid` for fields.
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def sandbox(self) -> bool: ...

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
