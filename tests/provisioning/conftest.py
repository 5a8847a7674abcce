"""The toy plugin, its world and a node, for every test here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID

import pytest

from chom_core.database import clock, transaction
from chom_core.plugin_host import gate
from chom_core.plugin_host.models import InstalledPlugin
from chom_core.plugin_host.registry import registry
from chom_core.provisioning import engine, funding, jobs, nodes
from tests.conftest import Database
from tests.provisioning import toy
from tests.provisioning.toy import driver, hooks

# Billing fills the funding seam when its jobs are imported; a test takes its place and gives it back.
if find_spec("chom_core.billing") and find_spec("chom_core.billing.jobs"):
    import_module("chom_core.billing.jobs")


@pytest.fixture(scope="package", autouse=True)
def toy_alone() -> Iterator[None]:
    """The toy is the only plugin here; afterwards the process's registry is as it was."""
    before = dict(vars(registry))
    registry.__init__()  # type: ignore[misc]
    registry.add([("toy", "0.1", lambda: toy)], "all")
    assert "toy" in registry.loaded, registry.skipped
    yield
    vars(registry).update(before)
    gate.forget()


@pytest.fixture(autouse=True)
def world(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty outside world, the plugin installed, nobody who pays, no waiting between tries."""
    assert jobs
    gate.forget()
    for name in ("ports", "machines", "sites"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("CHOM_TOY_WORLD", str(tmp_path))
    monkeypatch.setattr(engine, "pause", lambda seconds: None)
    monkeypatch.setattr(funding, "_payer", funding._NOBODY)
    with transaction() as here:
        answers = sorted(registry.loaded["toy"].hooks)
        row = InstalledPlugin(
            name="toy", version="0.1", level="platform", hooks=answers, updated_at=clock.now()
        )
        here.add(row)
    yield tmp_path
    hooks.refusals.clear()
    hooks.consequences.clear()
    driver.careless = False


@pytest.fixture
def node(world: Path) -> UUID:
    with transaction():
        return nodes.add_node(name="toybox", driver="toy", region="Here", capacity=1000).id
