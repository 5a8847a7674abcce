"""What notifications ask and answer: types of message, the message itself, and the ways it can go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from chom_core.values.principal import Role

#: The two ways that are always there; plugins add others (Discord, SMS) by `notifications_channels`.
INBOX, MAIL = "inbox", "mail"


class Category(StrEnum):
    """What an inbox is filtered by."""

    BILLING = "billing"
    SUPPORT = "support"
    SYSTEM = "system"
    SERVICES = "services"


@dataclass(frozen=True, slots=True)
class NotificationType:
    """A kind of message. `name` is dotted, a plugin's begins with its own name: `projects.budget_reached`.

    `channels` get it unless a person chose otherwise; `mandatory` ones cannot be switched off (in those channels).
    `roles` are who is told where the sender names nobody.
    """

    name: str
    title: Any
    category: str = Category.SERVICES
    channels: tuple[str, ...] = (INBOX, MAIL)
    mandatory: bool = False
    description: Any = ""
    roles: tuple[Role, ...] = (Role.OWNER, Role.ADMIN)

    def __post_init__(self) -> None:
        if self.category not in list(Category):
            raise ValueError(f"{self.name}: {self.category!r} is no category; use {', '.join(Category)}")


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person, as a channel gets it. `link` is an absolute address; `id` is the same on a retry,
    so a channel that can take a key for exactly-once uses it."""

    id: UUID
    type: str
    category: str
    tenant_id: UUID | None
    person_id: UUID
    person_name: str
    address: str
    title: str
    body: str = ""
    link: str = ""
    locale: str = "en"
    data: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Channel(Protocol):
    """A way to reach a person. The core calls `deliver` from a job, outside of any transaction; an exception means:
    try again later. `GiveUp`-like refusals are logged by raising `ChomError`."""

    name: str
    title: str

    def deliver(self, message: Message) -> None: ...


@dataclass(frozen=True, slots=True)
class ChannelQuery:
    """Which further channels are there for this organisation? `person_id` is None for the list of all."""

    tenant_id: UUID | None
    person_id: UUID | None = None
