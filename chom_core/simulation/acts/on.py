"""The stage of one act."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from uuid import UUID

from chom_core.simulation.cast import Actor
from chom_core.simulation.script import Act
from chom_core.values.principal import Principal

CURRENCY = "USD"


@dataclass(frozen=True, slots=True)
class On:
    """The stage of one act: whose, as whom the organisation acts, and as whom the operator does."""

    actor: Actor
    tenant_id: UUID
    owner: Principal
    staff: Principal
    act: Act

    def dice(self) -> Random:
        """Chance of this act's own."""
        return self.actor.random(self.act.key)

    @property
    def draw(self) -> float:
        return float(self.act.facts.get("draw", 0.5))
