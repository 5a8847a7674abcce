"""The toy's driver. Its world: ports/ (one file per port), machines/ (names made up by us, like a cloud's), sites/,
and `ledger`, to which each created service adds one line: a doubled effect shows as a doubled line."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chom_core.values.provisioning import (
    Found,
    Health,
    NodeInfo,
    OperationContext,
    ServiceFacts,
    Step,
    StepContext,
    StepFailed,
)


def world() -> Path:
    return Path(os.environ["CHOM_TOY_WORLD"])


def boundary(name: str) -> None:
    """The crash test dies here."""


#: The planted bug: note a machine's name only after it was made.
careless = False


def _break(context: StepContext, step: str) -> None:
    if context.service.settings.get("fail_at") == step:
        raise StepFailed(f"{step} is broken.", fix="Mend the toy.")


class ToyDriver:
    """Builds «toy»."""

    name = "toy"
    title = "A folder"
    kinds = ("toy",)

    def steps(self, operation: OperationContext) -> Sequence[Step]:
        plans: dict[str, list[Step]] = {
            "create": [PORT, FOLDER, MACHINE, LEDGER, RUN, VERIFY],
            "start": [RUN, VERIFY],
            "restart": [Step("halt", "Stop", apply=_halt), RUN, VERIFY],
            "stop": [Step("halt", "Stop", check=lambda c: not _running(c), apply=_halt)],
            "delete": [
                Step("halt", "Stop", check=lambda c: not _running(c), apply=_halt),
                Step("machine", "Give the machine back", apply=_no_machine),
                Step("folder", "Remove the files", check=lambda c: not _site(c).exists(), apply=_no_folder),
                Step("port", "Give the port back", apply=_no_port),
            ],
            "paint": [Step("paint", "Paint", apply=_paint)],
        }
        return plans[operation.action]

    def status(self, service: ServiceFacts) -> Health:
        site = world() / "sites" / service.name
        marked = (site / "marker").exists() and (site / "marker").read_text() == service.marker
        return Health(marked and (site / "running").exists())

    def inventory(self, node: NodeInfo) -> Sequence[Found]:
        sites = sorted((world() / "sites").glob("*"))
        return [
            Found(
                site.name,
                (site / "marker").read_text(),
                (site / "running").exists(),
                storage_bytes=sum(file.stat().st_size for file in site.iterdir()),
            )
            for site in sites
            if (site / "marker").exists()
        ]


def _site(context: StepContext) -> Path:
    return world() / "sites" / context.service.name


def _running(context: StepContext) -> bool:
    return (_site(context) / "running").exists()


def _port(context: StepContext) -> Path:
    return world() / "ports" / str(context.facts.get("port", "none"))


def _has_port(context: StepContext) -> bool:
    return _port(context).exists() and _port(context).read_text() == context.service.marker


def _take_port(context: StepContext) -> None:
    taken = {
        int(path.name) for path in (world() / "ports").iterdir() if path.read_text() != context.service.marker
    }
    port = context.facts.get("port") or next(p for p in range(20000, 30000) if p not in taken)
    context.record(port=port, url=f"http://{context.service.name}.localhost:{port}/")
    boundary("port recorded")
    _port(context).write_text(context.service.marker)
    boundary("port taken")


def _no_port(context: StepContext) -> None:
    boundary("port stays")
    _port(context).unlink(missing_ok=True)
    boundary("port given back")


def _make_folder(context: StepContext) -> None:
    _break(context, "folder")
    _site(context).mkdir(exist_ok=True)
    boundary("folder made")
    (_site(context) / "marker").write_text(context.service.marker)
    context.log(f"made with {context.secrets.get('password', 'nothing')}")
    boundary("marker written")


def _no_folder(context: StepContext) -> None:
    boundary("folder stays")
    shutil.rmtree(_site(context), ignore_errors=True)
    boundary("folder removed")


def _machine(context: StepContext) -> Path:
    return world() / "machines" / str(context.facts.get("machine", "none"))


def _make_machine(context: StepContext) -> None:
    name = secrets.token_hex(8)
    if careless:
        (world() / "machines" / name).write_text(context.service.name)
        boundary("machine made")
        context.record(machine=name)
        return
    if "machine" not in context.facts:
        context.record(machine=name)
    boundary("machine recorded")
    _machine(context).write_text(context.service.name)
    boundary("machine made")
    context.progress(1, 1)


def _no_machine(context: StepContext) -> None:
    boundary("machine stays")
    _machine(context).unlink(missing_ok=True)
    boundary("machine given back")


def _ledger() -> list[str]:
    path = world() / "ledger"
    return path.read_text().splitlines() if path.exists() else []


def _write_ledger(context: StepContext) -> None:
    with (world() / "ledger").open("a") as file:
        file.write(context.service.name + "\n")
    boundary("ledger written")


def _unwrite_ledger(context: StepContext) -> None:
    boundary("ledger stays")
    kept = [line for line in _ledger() if line != context.service.name]
    fresh = world() / "ledger.new"
    fresh.write_text("".join(f"{line}\n" for line in kept))
    fresh.replace(world() / "ledger")
    boundary("ledger taken back")


def _run(context: StepContext) -> None:
    _break(context, "run")
    (_site(context) / "running").touch()
    boundary("started")


def _halt(context: StepContext) -> None:
    boundary("runs")
    (_site(context) / "running").unlink(missing_ok=True)
    boundary("stopped")


def _verify(context: StepContext) -> str:
    _break(context, "verify")
    return (_site(context) / "marker").read_text()


def _paint(context: StepContext) -> None:
    _break(context, "paint")
    colour: Any = context.settings.get("colour", "green")
    context.record(colour=colour)


PORT = Step("port", "Take a port", _has_port, _take_port, _no_port, 1)
FOLDER = Step(
    "folder", "Make the folder", lambda c: (_site(c) / "marker").exists(), _make_folder, _no_folder, 2
)
MACHINE = Step("machine", "Make the machine", lambda c: _machine(c).exists(), _make_machine, _no_machine, 3)
LEDGER = Step(
    "ledger", "Write it down", lambda c: c.service.name in _ledger(), _write_ledger, _unwrite_ledger, 1
)
RUN = Step("run", "Start", _running, _run, _halt, 1)
VERIFY = Step("verify", "See it answer", apply=_verify, proves=True, estimate_seconds=1)
