"""The port of disputes: what a bank is told about a payment that it took back, by way of the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable
from uuid import UUID

from chom_core.values.money import Money
from chom_core.values.period import Period


@dataclass(frozen=True, slots=True)
class DisputeQuery:
    """Who answers disputes of payments at `gateway`, for this organisation?"""

    tenant_id: UUID
    gateway: str


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """What CHOM knows of a disputed payment: all that evidence can be proposed from.

    `reason`: the bank's, in the gateway's words. `invoice` is empty for a top-up. `lines`, `services` and `use` (in
    `served`, the dates of service) are sentences for people; `refunded` is what of the payment went back by us.
    """

    reference: str
    reason: str
    amount: Money
    paid: Money
    paid_at: datetime
    card: str
    refunded: Money
    seller: str
    customer: str
    email: str
    address: str
    invoice: str = ""
    lines: tuple[str, ...] = ()
    served: Period | None = None
    services: tuple[str, ...] = ()
    use: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceField:
    """One field of evidence. `name` is the gateway's own; `text` what is proposed; `most` characters are taken."""

    name: str
    title: str
    text: str = ""
    help: str = ""
    most: int = 20_000
    long: bool = False


@dataclass(frozen=True, slots=True)
class DisputeReply:
    """The one answer to a dispute. `key` is kept for ever: the same key is one answer, however often it is sent.

    `evidence`: text by the names of fields, none of them empty; nothing of it where the dispute is accepted.
    """

    key: str
    reference: str
    tenant_id: UUID
    evidence: Mapping[str, str]


@runtime_checkable
class DisputeGateway(Protocol):
    """Answers banks. Core calls `submit` and `accept` in a job, with no transaction open.

    Both return once the gateway has taken the answer. They raise `Unavailable` where nobody knows (core asks again with
    the same key); any other error for people is a definite no: nothing was sent, and a person decides again. How the
    bank decides is heard later (`disputed`).
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def sandbox(self) -> bool: ...

    def evidence(self, facts: DisputeFacts) -> tuple[EvidenceField, ...]:
        """The fields that can be filled, with what is proposed for each. Reads nothing and calls nobody."""
        ...

    def submit(self, reply: DisputeReply) -> None:
        """Send the evidence to the bank, for good."""
        ...

    def accept(self, reply: DisputeReply) -> None:
        """Give the dispute up: it is lost."""
        ...
