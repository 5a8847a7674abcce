"""What provisioning asks plugins, and what they answer: kinds of service, node drivers, journalled steps.

A plugin *returns* kinds and drivers from decide hooks; the core calls the drivers afterwards, from a job, outside
of any transaction. A driver may take minutes, and every step must bear being cut off at any instruction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable
from uuid import UUID

from chom_core.values.errors import ChomError

Family = Literal["site", "server"]
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
    """One thing that a driver found on a node. `marker` is its service's, `name` says what it is."""

    name: str
    marker: str = ""
    running: bool = True
    detail: str = ""


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
class ServiceInfo:
    """A service as everybody else sees it. `facts` are the recorded ones, without secrets."""

    id: UUID
    tenant_id: UUID
    kind: str
    kind_title: str
    family: Family
    name: str
    title: str
    status: str
    url: str
    node: str
    region: str
    paid_by: str
    settings: Mapping[str, Any]
    facts: Mapping[str, Any]
    created_at: datetime
    operation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class StepInfo:
    """One step of an operation as the page shows it."""

    name: str
    title: str
    status: str
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    progress: float | None
    estimate_seconds: float


@dataclass(frozen=True, slots=True)
class OperationInfo:
    """An operation with its steps. `seq` grows with every change; `seconds_left` is an estimate."""

    id: UUID
    tenant_id: UUID
    service_id: UUID
    action: str
    status: str
    seq: int
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds_left: int | None
    error: str
    fix: str
    cancel_requested: bool
    steps: tuple[StepInfo, ...] = ()

    @property
    def final(self) -> bool:
        """Has it ended, one way or another?"""
        return self.status not in ("queued", "running")
