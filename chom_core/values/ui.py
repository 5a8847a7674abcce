"""What slots are told and what they answer: a panel, rendered from the plugin's own template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Panel:
    """A piece of a page. `template` is the plugin's (`projects/service_panel.html`), rendered with `context`."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    weight: int = 50


@dataclass(frozen=True, slots=True)
class Column:
    """One extra column of a list: its heading and a text per row id. One call answers for the whole page."""

    title: str
    cells: Mapping[UUID, str]
    links: Mapping[UUID, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.cells, Mapping) or not isinstance(self.links, Mapping):
            raise TypeError("a column has its cells and links by row id")


@dataclass(frozen=True, slots=True)
class PageSlot:
    """A place on a page of the current organisation."""

    tenant_id: UUID | None


@dataclass(frozen=True, slots=True)
class ServiceSlot:
    """A place on the page of one service."""

    tenant_id: UUID
    service_id: UUID
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class ServiceListSlot:
    """A place on the list of services: the ids shown on this page, and the filters of its query string."""

    tenant_id: UUID
    service_ids: tuple[UUID, ...]
    query: Mapping[str, str]
