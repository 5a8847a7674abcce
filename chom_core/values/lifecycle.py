"""What lifecycle hooks are told."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Turn:
    """A plugin was switched on or off for an organisation; `why` is the effective state's reason."""

    plugin: str
    tenant_id: UUID
    why: str


@dataclass(frozen=True, slots=True)
class Exporting:
    """An organisation's data is exported."""

    plugin: str
    tenant_id: UUID


@dataclass(frozen=True, slots=True)
class Erasure:
    """An organisation is erased for good."""

    plugin: str
    tenant_id: UUID
