"""What can be ordered: kinds of service, their actions and links, and who refuses or pays an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

Family = Literal["site", "server"]


@dataclass(frozen=True, slots=True)
class KindQuery:
    """Which kinds of service, or drivers, are there for this organisation? None: for the platform's staff."""

    tenant_id: UUID | None


@dataclass(frozen=True, slots=True)
class ServiceAction:
    """One thing a person can do to a service: a button on its page.

    `name` is the driver's action; `when` the statuses in which it is offered; `who` the access word it takes.
    """

    name: str
    title: str
    icon: str = "bolt"
    description: str = ""
    when: tuple[str, ...] = ("active",)
    who: Literal["member", "admin"] = "member"


@dataclass(frozen=True, slots=True)
class ServiceLink:
    """A link on a service's page. `fact` names the recorded fact that holds the address; no fact, no link."""

    title: str
    fact: str
    icon: str = "external-link"


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """A kind of service that can be ordered.

    `family` says how it is paid (CONCEPTS §1): a *site* uses the hosting plan, a *server* has its own price.
    `form` is a marshmallow Schema class or its path "package.module:Class": the order's fields beside the name.
    `actions` come on top of start, stop, restart and delete. `name` is stable: orders and API calls name it.
    """

    name: str
    title: str
    description: str
    icon: str
    family: Family
    form: type[Any] | str | None = None
    actions: tuple[ServiceAction, ...] = ()
    links: tuple[ServiceLink, ...] = ()
    weight: int = 50


@dataclass(frozen=True, slots=True)
class ServiceOrder:
    """Somebody wants a service: asked of order checks and of funding, before anything is written."""

    tenant_id: UUID
    kind: str
    family: Family
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an order is not taken, and what to do next."""

    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Funding:
    """Who pays for an order. The customer reads `words`: «Included in Pro (19 of 25)», «$14.00/month»;
    `reference` is kept with the service; where it is not `allowed`, `fix` says what to do."""

    allowed: bool
    words: str = ""
    fix: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class DeleteQuery:
    """A service is about to be deleted."""

    tenant_id: UUID
    service_id: UUID
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Consequence:
    """One line on the delete page: what goes, depends on it, stays until when, stops being billed."""

    text: str
    sort: Literal["goes", "depends", "stays", "billing"] = "goes"


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """Which groups of services does the organisation have?"""

    tenant_id: UUID


@dataclass(frozen=True, slots=True)
class ServiceGroup:
    """Services that belong together, such as a project; `link` is its page in CHOM."""

    id: UUID
    title: str
    service_ids: frozenset[UUID]
    link: str = ""
