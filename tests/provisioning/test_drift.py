"""The drift sweep finds each sort of difference, once, and takes it off the list when it is gone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chom_core.database import acting_as, everyone, session, transaction
from chom_core.provisioning import drift, nodes, service
from chom_core.provisioning.models import Drift, Node, Service
from chom_core.work import run_all
from tests.provisioning.test_operations import built, order
from tests.provisioning.toy import driver


def listed() -> list[tuple[str, str]]:
    with transaction():
        return sorted((row.sort, row.name) for row, _node in drift.open_drift())


def facts(tenant: UUID, service_id: UUID) -> dict[str, Any]:
    with transaction(tenant) as here:
        return dict(here.get_one(Service, service_id).facts)


def test_what_agrees_is_not_listed(tenants: tuple[UUID, UUID], node: UUID) -> None:
    built(tenants[0], "one"), built(tenants[1], "two")
    assert drift.sweep() == 0
    assert listed() == []
    with transaction():
        assert session().get_one(Node, node).swept_at is not None


def test_what_a_service_takes_on_disk_is_noted_beside_its_other_facts(
    tenants: tuple[UUID, UUID], node: UUID, world: Path
) -> None:
    site = built(tenants[0], "heavy")
    before = facts(tenants[0], site.id)
    (world / "sites" / "heavy" / "film").write_bytes(b"x" * 5000)
    drift.sweep()
    after = facts(tenants[0], site.id)
    assert 5000 < after.pop("storage_bytes") < 6000
    assert after == before


def test_each_difference_is_listed_and_resolved(tenants: tuple[UUID, UUID], node: UUID, world: Path) -> None:
    gone, _halted, started = (built(tenants[0], name) for name in ("gone", "halted", "started"))
    with transaction(tenants[0]):
        service.stop_service(started.id)
    run_all()
    shutil.rmtree(world / "sites" / "gone")
    (world / "sites" / "halted" / "running").unlink()
    (world / "sites" / "started" / "running").touch()
    stranger = world / "sites" / "stranger"
    stranger.mkdir()
    (stranger / "marker").write_text("whose?")
    expected = [("missing", "gone"), ("orphan", "stranger"), ("state", "halted"), ("state", "started")]
    assert drift.sweep() == 4
    assert listed() == expected
    assert drift.sweep() == 4
    assert listed() == expected, "the second sweep lists nothing twice"
    with everyone("test") as here:
        row = here.query(Drift).filter(Drift.sort == "missing").one()
        assert (row.service_id, row.owner_id) == (gone.id, tenants[0])
    (world / "sites" / "halted" / "running").touch()
    shutil.rmtree(stranger)
    assert drift.sweep() == 2
    assert listed() == [("missing", "gone"), ("state", "started")]


def test_a_deleted_service_that_still_stands_is_an_orphan(
    tenants: tuple[UUID, UUID], node: UUID, world: Path
) -> None:
    info = built(tenants[0], "shop")
    shutil.copytree(world / "sites" / "shop", world / "kept")
    with transaction(tenants[0]):
        service.delete_service(info.id, "shop")
    run_all()
    (world / "kept").rename(world / "sites" / "shop")
    assert drift.sweep() == 1
    assert listed() == [("orphan", "shop")]


def test_what_is_being_built_is_left_alone(
    tenants: tuple[UUID, UUID], node: UUID, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(tenants[0], "queued")
    found: list[list[drift.Difference]] = []
    stands = [driver.Found("queued"), driver.Found("shop")]

    def look(name: str) -> None:
        if name == "marker written":
            with acting_as("core"):
                found.append(drift.compare(stands, *_records(node), {}))

    monkeypatch.setattr(driver, "boundary", look)
    order(tenants[0], "shop")
    run_all()
    assert found == [[], []]


def _records(node: UUID) -> tuple[dict[UUID, drift.Recorded], dict[UUID, drift.Recorded]]:
    with everyone("test"):
        record = drift._record(node)
        return record, record


def test_an_unreachable_node_says_so_and_keeps_its_list(
    tenants: tuple[UUID, UUID], node: UUID, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(tenants[0], "shop")
    shutil.rmtree(world / "sites" / "shop")
    assert drift.sweep() == 1

    def refuse(self: object, info: object) -> object:
        raise OSError("no route to host")

    monkeypatch.setattr(driver.ToyDriver, "inventory", refuse)
    drift.sweep()
    assert listed() == [("missing", "shop")]
    with transaction():
        assert "no route" in session().get_one(Node, node).sweep_error
        nodes.set_status(node, "offline")
