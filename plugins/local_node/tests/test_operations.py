"""The whole way through CHOM: staff add this machine as a node, a customer orders, watches, visits, deletes."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import ask
from chom_local_node import fetch, processes
from chom_local_node.driver import LocalDriver
from chom_local_node.nodejs import find_node
from chom_local_node.records import Node, SiteRecord, load, must_load
from chom_local_node.sites import steps_create
from chom_local_node.types import Kind, RunnerError, SiteSpec, run

from chom_sdk.testing import Organisation, World, contract

TestContract = contract("local_node")


@pytest.fixture
def here(chom: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """This machine as a node of this test's CHOM, in a folder of its own."""
    root = Path(tempfile.mkdtemp(prefix="chom-node-"))
    root.chmod(0o711)
    monkeypatch.setenv("CHOM_LOCAL_NODE_ROOT", str(root))
    staff = chom.staff_client
    form = {
        "name": "local",
        "driver": LocalDriver.name,
        "region": "This machine",
        "address": "",
        "capacity": "20",
    }
    answer = staff.post("/staff/nodes/new", data={**form, "csrf_token": chom.csrf(staff)})
    assert answer.status_code == 303, answer.text
    node = Node(root, runtime_folder=fetch.default_folder())
    with chom.everything_paid():
        yield node
    for process in processes.living(node):
        processes.stop(node, SiteRecord(process.site, Kind.STATIC, "", 0, 0, "", ""))
    shutil.rmtree(root)


def work(chom: World) -> None:
    """Run what is due. There is no mail server here, so mails wait for another attempt."""
    chom.run_jobs(reraise=False)


def order(chom: World, of: Organisation, kind: str, name: str, title: str, **form: str) -> tuple[str, str]:
    """Order and build; returns the addresses of the operation and of the service."""
    answer = of.post(f"/services/new/{kind}", {"name": name, "title": title, **form})
    assert answer.status_code == 303, answer.text
    operation = str(answer.headers["Location"])
    work(chom)
    service = re.search(r'href="(/services/[0-9a-f-]{36})"', of.client().get(operation).text)
    assert service is not None
    return operation, service[1]


def delete(chom: World, of: Organisation, service: str, name: str) -> None:
    assert of.post(f"{service}/delete", {"confirm_name": name}).status_code == 303
    work(chom)


def leftovers(node: Node) -> list[str]:
    return [
        str(path) for folder in (node.sites, node.state) for path in folder.iterdir() if path.name != ".lock"
    ]


def test_a_static_site_from_order_to_no_trace(chom: World, organisation: Organisation, here: Node) -> None:
    operation, service = order(chom, organisation, "static", "bakery", "Bob's Bakery")
    assert "It is ready." in organisation.client().get(operation).text
    record = must_load(here, "bakery")
    answer = ask(record)
    assert answer.status == 200 and "<title>Bob&#x27;s Bakery</title>" in answer.text
    assert record.url in organisation.client().get(service).text
    for action, up in (("stop", False), ("start", True), ("restart", True)):
        assert organisation.post(f"{service}/actions/{action}").status_code == 303
        work(chom)
        assert bool(processes.living(here, "bakery")) is up
        assert ("Active" in organisation.client().get(service).text) is up
    delete(chom, organisation, service, "bakery")
    assert "Deleted" in organisation.client().get(service).text
    assert leftovers(here) == [] and processes.living(here) == []


def test_a_site_of_another_service_is_never_taken_over(
    chom: World, organisation: Organisation, here: Node
) -> None:
    """Remains of a site with the same name: neither shown, nor used, nor removed by the new order."""
    run(steps_create(here, SiteSpec("bakery", Kind.STATIC, "Somebody's own")))
    operation, _service = order(chom, organisation, "static", "bakery", "Mine now")
    page = organisation.client().get(operation).text
    assert "Another site of this name is still on the node." in page
    theirs = load(here, "bakery")
    assert theirs is not None
    assert "Somebody&#x27;s own" in ask(theirs).text


def test_a_port_that_is_taken_fails_with_words(
    chom: World, organisation: Organisation, here: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise RunnerError("No free port is left.", fix="Delete a site.")

    monkeypatch.setattr("chom_local_node.ports.allocate", refuse)
    operation, service = order(chom, organisation, "static", "bakery", "Bakery")
    page = organisation.client().get(operation).text
    assert "No free port is left." in page and "Delete a site." in page
    assert "Failed" in organisation.client().get(service).text
    assert leftovers(here) == []


@pytest.mark.playground
def test_a_real_wordpress_from_order_to_no_trace(chom: World, organisation: Organisation, here: Node) -> None:
    try:
        find_node()
        fetch.fetch(fetch.default_folder())
    except RunnerError as error:
        if os.environ.get("CHOM_REQUIRE_PLAYGROUND") == "1":
            raise
        pytest.skip(str(error))
    form = {"admin_user": "mara", "admin_email": "mara@northlight.example"}
    operation, service = order(chom, organisation, "wordpress", "journal", "Northlight Journal", **form)
    assert "It is ready." in organisation.client().get(operation).text
    record = must_load(here, "journal")
    front = ask(record)
    assert front.status == 200 and "Northlight Journal" in front.text and "wp-content" in front.text
    assert "Open the administration" in organisation.client().get(service).text
    way_in = organisation.post(f"/local-sites/{service.rsplit('/', 1)[1]}/admin")
    address = str(way_in.headers["Refresh"]).partition("url=")[2]
    assert way_in.status_code == 200 and address.startswith(record.url)
    entered = ask(record, address.removeprefix(record.url))
    assert entered.status == 302 and "wordpress_logged_in" in str(entered.headers.get_all("Set-Cookie"))
    delete(chom, organisation, service, "journal")
    assert leftovers(here) == [] and processes.living(here) == []
