"""The runner of this package as a node driver: its steps, wrapped so that a site is touched by its own service only.

The node's `facts` may hold `root` (its folder), `first_port` and `last_port`; a node without them uses the defaults.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from chom_sdk.provisioning import (
    Found,
    Health,
    NodeInfo,
    OperationContext,
    ServiceFacts,
    Step,
    StepContext,
    StepFailed,
)

from . import health, inventory, processes, sites
from .fetch import default_folder
from .records import Node, SiteRecord, load
from .types import Kind, Progress, Report, RunnerError, SiteSpec, new_password
from .types import Step as SiteStep
from .users import usable_root

T = TypeVar("T")
PASSWORD = "admin_password"  # noqa: S105 (the name of a secret fact, not a secret)


def node_of(info: NodeInfo) -> Node:
    """The node's folders and ports."""
    root = info.facts.get("root") or os.environ.get("CHOM_LOCAL_NODE_ROOT") or _default_root()
    ports = {key: int(info.facts[key]) for key in ("first_port", "last_port") if key in info.facts}
    return Node(usable_root(Path(root)), runtime_folder=default_folder(), **ports)


def _default_root() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "chom" / "local_node"


class LocalDriver:
    """Builds WordPress and static sites on this very machine."""

    name = "local_node"
    title = "This machine"
    kinds = ("wordpress", "static")

    def steps(self, operation: OperationContext) -> Sequence[Step]:
        service = operation.service
        node = node_of(service.node)
        plan = _plan(node, operation.action, _spec(service, {}))
        return [_wrapped(node, operation.action, step) for step in plan]

    def status(self, service: ServiceFacts) -> Health:
        record = load(node_of(service.node), service.name)
        if record is None or record.marker != service.marker:
            return Health(False, "not on this node")
        if not processes.is_running(record):
            return Health(False, "stopped")
        return Health(health.is_itself(health.look(record), record), "")

    def inventory(self, node: NodeInfo) -> Sequence[Found]:
        return [
            Found(
                item.name,
                item.record.marker if item.record else "",
                bool(item.pids),
                "; ".join(item.drifts),
                item.size,
            )
            for item in inventory.inventory(node_of(node))
        ]


def _plan(node: Node, action: str, spec: SiteSpec) -> list[SiteStep]:
    if action == "create":
        return sites.steps_create(node, spec)
    plans: dict[str, Callable[[Node, str], list[SiteStep]]] = {
        "start": sites.steps_start,
        "stop": sites.steps_stop,
        "restart": sites.steps_restart,
        "delete": sites.steps_delete,
    }
    return plans[action](node, spec.name)


def _spec(service: ServiceFacts, secrets: Any) -> SiteSpec:
    return SiteSpec(
        name=service.name,
        kind=Kind(service.kind),
        title=service.title,
        admin_user=str(service.settings.get("admin_user", "admin")),
        admin_email=str(service.settings.get("admin_email", "admin@example.com")),
        admin_password=secrets.get(PASSWORD) or new_password(),
        marker=service.marker,
    )


def _wrapped(node: Node, action: str, step: SiteStep) -> Step:
    """The runner's step as the core's. It is found anew each time, with the password recorded by then."""

    def fresh(context: StepContext) -> SiteStep:
        plan = _plan(node, action, _spec(context.service, context.secrets))
        return next(one for one in plan if one.name == step.name)

    def check(context: StepContext) -> bool:
        _own(node, context)
        return _told(fresh(context).check)

    def apply(context: StepContext) -> str:
        if not _own(node, context) and action == "delete":
            return ""
        if step.name == "install" and PASSWORD not in context.secrets:
            context.record_secret(**{PASSWORD: new_password()})
        _told(partial(fresh(context).apply, _report(context)))
        if step.name == "allocate_port":
            record = _must_own(node, context)
            context.record(url=record.url, port=record.port, node_root=str(node.root))
        return _marker(node, context) if step.name == "verify" else ""

    def undo(context: StepContext) -> None:
        record = load(node, context.service.name)
        if record is None or record.marker == context.service.marker:
            _told(fresh(context).undo)

    return Step(
        name=step.name,
        title=step.title,
        check=check,
        apply=apply,
        undo=undo,
        estimate_seconds=step.estimate_seconds,
        proves=step.name == "verify",
        tries=1 if step.name == "verify" else 3,
    )


def _own(node: Node, context: StepContext) -> SiteRecord | None:
    """The site's record. Refuses where another service's site of this name stands on the node."""
    record = load(node, context.service.name)
    if record is not None and record.marker != context.service.marker:
        raise StepFailed(
            "Another site of this name is still on the node.",
            fix="Choose another name. Staff find the remains under Drift.",
            final=True,
        )
    return record


def _must_own(node: Node, context: StepContext) -> SiteRecord:
    record = _own(node, context)
    if record is None:
        raise StepFailed("The node has no record of this site.", fix="Try again.")
    return record


def _marker(node: Node, context: StepContext) -> str:
    page = health.look(_must_own(node, context))
    return page.marker if page is not None else ""


def _told(action: Callable[[], T]) -> T:
    """The runner's errors in the core's words."""
    try:
        return action()
    except RunnerError as error:
        raise StepFailed(error.detail, fix=error.fix) from error


def _report(context: StepContext) -> Report:
    last = ""

    def report(progress: Progress) -> None:
        nonlocal last
        if progress.message != last:
            last = progress.message
            context.log(progress.message)
        if progress.total:
            context.progress(progress.done or 0, progress.total)
        else:
            context.progress(0, 1)

    return report
