"""The demo's sites outlive its processes, so it stops them at its end and brings back those that should run.

Both go through the node's own driver. A site keeps its status meanwhile: it is the machine that is switched off, not
the customer's site.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from chom_core.database import PLATFORM_ID, acting_as, everyone, transaction
from chom_core.provisioning import kinds
from chom_core.provisioning import service as provisioning
from chom_core.provisioning.models import OPEN, Node, Operation, Service
from chom_core.provisioning.views import service_facts
from chom_core.values.errors import ChomError
from chom_core.values.ids import uuid7
from chom_core.values.principal import SYSTEM
from chom_core.values.provisioning import OperationContext, ServiceFacts


@dataclass(frozen=True)
class _Context:
    """What a step gets from the demo: it records nothing, since nothing is to change but the process."""

    service: ServiceFacts

    @property
    def secrets(self) -> Mapping[str, str]:
        return self.service.secrets

    def record(self, **facts: Any) -> None: ...
    def record_secret(self, **secrets: str) -> None: ...
    def log(self, line: str) -> None: ...
    def progress(self, done: float, total: float) -> None: ...


def stop_sites() -> list[str]:
    """End the processes of every service that may have one. Answers what went wrong, by name."""
    faults = []
    for facts in _services(Service.status.not_in(("deleted", "stopped"))):
        try:
            _stop(facts)
        except Exception as error:
            faults.append(f"{facts.name}: {error}")
    return faults


def _stop(facts: ServiceFacts) -> None:
    with transaction(PLATFORM_ID):
        bound = kinds.driver(facts.node.driver)
    context = _Context(facts)
    with acting_as(bound.plugin):
        for step in bound.driver.steps(OperationContext(uuid7(), "stop", facts, {})):
            step.apply(context)  # type: ignore[arg-type]


def bring_back() -> int:
    """Restart every site that counts as active and does not run: after Ctrl-C, a crash, a reboot. Answers how many."""
    busy = select(Operation.service_id).where(Operation.status.in_(OPEN))
    down = [
        facts for facts in _services(Service.status == "active", Service.id.not_in(busy)) if not _runs(facts)
    ]
    for facts in down:
        with transaction(facts.tenant_id, SYSTEM):
            provisioning.restart_service(facts.id)
    return len(down)


def _runs(facts: ServiceFacts) -> bool:
    with transaction(PLATFORM_ID):
        bound = kinds.driver(facts.node.driver)
    try:
        with acting_as(bound.plugin):
            return bound.driver.status(facts).running
    except ChomError:
        return False


def _services(*where: Any) -> list[ServiceFacts]:
    with everyone("the demo starts or stops its sites") as here:
        rows = here.execute(select(Service, Node).join(Node, Node.id == Service.node_id).where(*where)).all()
        return [service_facts(service, node) for service, node in rows]


def addresses() -> list[tuple[str, str]]:
    """Title and address of every service that is active, for the terminal."""
    with everyone("the demo lists its sites") as here:
        rows = here.scalars(select(Service).where(Service.status == "active").order_by(Service.id))
        return [(row.title or row.name, str(row.facts.get("url", ""))) for row in rows]
