"""What builds services: node drivers and their journalled steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from chom_core.values.errors import ChomError

#: The actions every driver answers; a kind adds its own names beside them.
STANDARD_ACTIONS = ("create", "start", "stop", "restart", "delete")


class StepFailed(ChomError):
    """A step could not do its work. The customer reads `detail` and `fix`; `final` forbids another try."""

    status, code, title = 502, "step-failed", "A step failed"

    def __init__(self, detail: str, *, fix: str = "", final: bool = False) -> None:
        super().__init__(detail, fix=fix)
        self.final = final


class OperationCancelled(ChomError):
    """Somebody cancelled the operation. Raised by `StepContext.progress`; let it pass."""

    status, code, title = 409, "operation-cancelled", "The operation was cancelled"


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A machine that services run on. `secrets` (keys, passwords) never reach a page or a log."""

    id: UUID
    name: str
    driver: str
    region: str
    address: str
    status: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """A service as its driver sees it. `facts` is what earlier steps recorded; `marker` is the random text that
    proves the service's identity when read back from it."""

    id: UUID
    tenant_id: UUID
    kind: str
    name: str
    title: str
    marker: str
    node: NodeInfo
    settings: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class OperationContext:
    """What a driver is asked to plan. `settings` belong to this operation: a kind's own action may take some."""

    operation_id: UUID
    action: str
    service: ServiceFacts
    settings: Mapping[str, Any] = field(default_factory=dict)


class StepContext(Protocol):
    """What a step works with. `facts` and `secrets` are the service's, with what was recorded so far."""

    @property
    def operation_id(self) -> UUID: ...

    @property
    def service(self) -> ServiceFacts: ...

    @property
    def settings(self) -> Mapping[str, Any]: ...

    @property
    def facts(self) -> Mapping[str, Any]: ...

    @property
    def secrets(self) -> Mapping[str, str]: ...

    def record(self, **facts: Any) -> None:
        """Keep JSON facts, committed at once; undoing the step forgets them.

        Record the name of what a step creates outside *before* creating it: after a crash the step runs again
        and finds the same name.
        """

    def record_secret(self, **secrets: str) -> None:
        """As `record`, encrypted; the log masks these texts."""

    def log(self, line: str) -> None:
        """Add a line to the operation's log, which the customer reads."""

    def progress(self, done: float, total: float) -> None:
        """Say how far the step is. Raises OperationCancelled where somebody cancelled."""


def _never_done(context: StepContext) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Step:
    """One journalled step. `check`: is its effect there already? `apply`: make it so. `undo`: take it away.

    All three must bear running again after being cut off anywhere. A step with `proves=True` returns from
    `apply` the marker it read from the running service; without it the core counts nothing as active.
    """

    name: str
    title: str
    check: Callable[[StepContext], bool] = _never_done
    apply: Callable[[StepContext], object] = lambda context: None
    undo: Callable[[StepContext], object] | None = None
    estimate_seconds: float = 1.0
    proves: bool = False
    tries: int = 3


@dataclass(frozen=True, slots=True)
class Health:
    """What a driver sees of a service now: running with its own marker, or not, and why."""

    running: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that a driver found on a node. `marker` is its service's, `name` says what it is.

    `storage_bytes`: what it takes on disk, where the driver knows; it is metered as the service's storage.
    """

    name: str
    marker: str = ""
    running: bool = True
    detail: str = ""
    storage_bytes: int | None = None


@runtime_checkable
class NodeDriver(Protocol):
    """Builds services on nodes of one sort. Stateless: what it must know stands in the facts."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def kinds(self) -> Sequence[str]:
        """Names of the service kinds it can build."""

    def steps(self, operation: OperationContext) -> Sequence[Step]:
        """The plan for create, start, stop, restart, delete and the kind's own actions.

        Asked anew after every interruption: names and order must depend on the operation only.
        """

    def status(self, service: ServiceFacts) -> Health:
        """How the service is now. Called from a job; seconds, not minutes."""

    def inventory(self, node: NodeInfo) -> Sequence[Found]:
        """Everything on the node that this driver made or could have made: the drift sweep compares it."""
