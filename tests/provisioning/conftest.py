"""The toy plugin, its world and a node, for every test here."""

from __future__ import annotations

from collections.abc import Iterator
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


def load_toy() -> None:
    """Load the toy plugin into this process, once."""
    if "toy" not in registry.loaded:
        registry.add([("toy", "0.1", lambda: toy)], "all")
        assert "toy" in registry.loaded, registry.skipped


@pytest.fixture(autouse=True)
def world(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty outside world, the plugin installed, no waiting between tries."""
    assert jobs
    load_toy()
    gate._cache.clear()
    for name in ("ports", "machines", "sites"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("CHOM_TOY_WORLD", str(tmp_path))
    monkeypatch.setattr(engine, "pause", lambda seconds: None)
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
    funding.unregister()


@pytest.fixture
def node(world: Path) -> UUID:
    with transaction():
        return nodes.add_node(name="toybox", driver="toy", region="Here", capacity=1000).id
