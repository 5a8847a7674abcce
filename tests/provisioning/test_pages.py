"""Pages and API through a real app: ordering, watching, acting, deleting; roles, foreign organisations, staff."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from chom_core import app as application
from chom_core.config import Settings
from chom_core.database import transaction
from chom_core.provisioning import drift, funding, nodes, reads
from chom_core.provisioning.models import Node
from chom_core.values import Role
from chom_core.values.provisioning import Consequence, Funding, Refusal
from chom_core.work import run_all
from chom_sdk.testing.world import Organisation, World
from tests.conftest import KEY, Database
from tests.provisioning.toy import hooks

_apps: list[Flask] = []


class House(World):
    """The SDK's helpers on this test's database, with the toy for a plugin."""

    def __init__(self, app: Flask) -> None:
        self._made = app

    @cached_property
    def app(self) -> Flask:
        return self._made


@pytest.fixture
def house(database: Database, world: Path, node: UUID) -> House:
    settings = Settings(
        database_url=database.app, redis_url="", secret_keys=(KEY,), public_url="http://chom.test",
        argon2_memory_kib=8,
    )  # fmt: skip
    if not _apps:
        _apps.append(application.create_app(settings))
    return House(_apps[0])


@pytest.fixture
def northlight(house: House) -> Organisation:
    return house.organisation("Northlight")


@pytest.fixture
def priced(house: House) -> Iterator[None]:
    """Somebody who pays, as billing will."""
    funding.register(
        lambda order: Funding(True, "Included in Pro (1 of 25)"),
        prices=lambda found: {one.id: "Included in Pro" for one in found},
        ends=lambda one: ["$4.00/month"],
    )
    yield
    funding.unregister()


def order(of: Organisation, name: str = "shop", **form: str) -> str:
    """Order over the page; returns the operation's address."""
    answer = of.post("/services/new/toy", {"name": name, "title": "", "colour": "blue", **form})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def service_id(of: Organisation, name: str = "shop") -> UUID:
    with transaction(of.id):
        return reads.services(search=name)[0].id


def test_from_the_empty_list_to_a_running_service(northlight: Organisation, priced: None) -> None:
    browser = northlight.client()
    assert "No services yet" in browser.get("/services/").text
    assert "Create your first service" in browser.get("/home").text
    assert "Toy site" in browser.get("/services/new").text
    page = browser.get("/services/new/toy").text
    assert "Included in Pro (1 of 25)" in page and 'name="colour"' in page and 'type="password"' in page
    address = order(northlight, title="My & Shop")
    waiting = browser.get(address).text
    assert "Waiting for a worker" in waiting and "data-live=" in waiting and 'http-equiv="refresh"' in waiting
    run_all()
    done = browser.get(address).text
    assert "It is ready." in done and "http://shop.localhost:20000/" in done
    assert "data-live=" not in done, "a final state asks no more"
    listed = browser.get("/services/").text
    assert "My &amp; Shop" in listed and "Included in Pro" in listed
    shown = browser.get(f"/services/{service_id(northlight)}").text
    assert "Restart" in shown and "Paint" in shown and ">Start<" not in shown
    assert "My &amp; Shop" in browser.get("/home").text


def test_the_live_fragment_is_304_until_something_changes(northlight: Organisation) -> None:
    browser, address = northlight.client(), order(northlight)
    first = browser.get(address + "/live?after=0", headers={"HX-Request": "true"})
    assert first.status_code == 200 and "<html" not in first.text
    tag = {"If-None-Match": first.headers["ETag"]}
    assert browser.get(address + "/live?after=0", headers=tag).status_code == 304
    run_all()
    last = browser.get(address + "/live?after=0", headers=tag)
    assert last.status_code == 200 and last.headers["X-Chom-Live"] == "final"
    assert last.text.count("step-done") == 6


def test_the_name_is_checked_while_typing_and_on_sending(northlight: Organisation) -> None:
    browser = northlight.client()
    assert "is free" in browser.get("/services/new/check?name=shop").text
    order(northlight)
    assert "is taken" in browser.get("/services/new/check?name=shop").text
    answer = northlight.post("/services/new/toy", {"name": "shop", "colour": "blue"})
    assert answer.status_code == 422 and "This name is taken" in answer.text
    assert northlight.post("/services/new/toy", {"name": "Ä", "colour": "blue"}).status_code == 422
    assert northlight.post("/services/new/castle", {"name": "x"}).status_code == 404


def test_what_cannot_be_paid_is_said_in_the_form(northlight: Organisation) -> None:
    funding.register(lambda order: Funding(False, "Your plan has no site left.", fix="Upgrade to Pro."))
    assert "Upgrade to Pro." in northlight.client().get("/services/new/toy").text
    answer = northlight.post("/services/new/toy", {"name": "shop", "colour": "blue"})
    assert answer.status_code == 402 and "Your plan has no site left. Upgrade to Pro." in answer.text
    with transaction(northlight.id):
        assert reads.services() == []
    funding.unregister()
    hooks.refusals.append(Refusal("Your budget is used up.", "Raise it."))
    assert northlight.post("/services/new/toy", {"name": "shop", "colour": "blue"}).status_code == 403


def test_a_failed_build_says_why_and_can_be_tried_again(northlight: Organisation) -> None:
    address = order(northlight, fail_at="run")
    run_all()
    page = northlight.client().get(address).text
    for words in ("run is broken.", "Mend the toy.", "taken back", "not billed", "Try again"):
        assert words in page
    assert "is failed" in northlight.client().get("/home").text
    again = northlight.post(f"{address}/retry")
    assert again.status_code == 303 and again.headers["Location"] != address


def test_actions_tabs_and_renaming(northlight: Organisation) -> None:
    order(northlight)
    run_all()
    browser, base = northlight.client(), f"/services/{service_id(northlight)}"
    assert northlight.post(f"{base}/actions/stop").status_code == 303
    assert northlight.post(f"{base}/actions/stop").status_code == 409
    run_all()
    assert "Stopped" in browser.get(base).text and ">Start<" in browser.get(base).text.replace("\n", "")
    assert northlight.post(f"{base}/settings", {"title": "Corner shop"}).status_code == 303
    assert northlight.post(f"{base}/settings", {"title": ""}).status_code == 422
    for tab in ("", "/operations", "/settings", "/delete"):
        assert "Corner shop" in browser.get(base + tab).text


def test_deleting_says_what_goes_and_asks_for_the_name(northlight: Organisation, priced: None) -> None:
    order(northlight)
    run_all()
    base = f"/services/{service_id(northlight)}"
    hooks.consequences.append(Consequence("The blog reads its database.", "depends"))
    page = northlight.client().get(f"{base}/delete").text
    for words in ("http://shop.localhost:20000/", "The blog reads its database.", "$4.00/month"):
        assert words in page
    wrong = northlight.post(f"{base}/delete", {"confirm_name": "ship"})
    assert wrong.status_code == 422 and "Type shop to delete it." in wrong.text
    assert northlight.post(f"{base}/delete", {"confirm_name": "shop"}).status_code == 303
    run_all()
    assert "No services yet" in northlight.client().get("/services/?reset=1").text
    assert "Deleted" in northlight.client().get("/services/?status=deleted").text


def test_lists_filter_sort_export(northlight: Organisation, priced: None) -> None:
    for name in ("beta", "alpha", "gamma"):
        order(northlight, name)
    run_all()
    browser = northlight.client()

    def shown(query: str) -> list[str]:
        return re.findall(r'class="cell-sub">([a-z]+)<', browser.get(f"/services/?{query}").text)

    assert shown("sort=name") == ["alpha", "beta", "gamma"]
    assert shown("sort=-created") == ["gamma", "alpha", "beta"]
    assert shown("q=mm") == ["gamma"]
    assert shown("status=stopped") == []
    with browser.get("/services/?export=csv&sort=name") as download:
        lines = download.text.lstrip("\ufeff").splitlines()
    assert [line.split(",")[0] for line in lines] == ["Name", "alpha", "beta", "gamma"]


def test_roles(northlight: Organisation) -> None:
    order(northlight)
    run_all()
    base = f"/services/{service_id(northlight)}"
    viewer = northlight.client(Role.VIEWER)
    assert viewer.get(base).status_code == 200 and "Restart" not in viewer.get(base).text
    for address in ("/services/new", "/services/new/toy", f"{base}/delete"):
        assert viewer.get(address).status_code == 403
    for address in (f"{base}/actions/stop", f"{base}/settings", f"{base}/delete", "/services/new/toy"):
        assert northlight.post(address, {"name": "x"}, Role.VIEWER).status_code == 403
    assert northlight.post(f"{base}/delete", {"confirm_name": "shop"}, Role.MEMBER).status_code == 403
    assert northlight.post(f"{base}/actions/stop", {}, Role.MEMBER).status_code == 303


def test_another_organisation_gets_404(house: House, northlight: Organisation) -> None:
    address = order(northlight)
    run_all()
    pinecrest, base = house.organisation("Pinecrest"), f"/services/{service_id(northlight)}"
    for page in (
        base,
        f"{base}/operations",
        f"{base}/settings",
        f"{base}/delete",
        address,
        f"{address}/live",
    ):
        assert pinecrest.client().get(page).status_code == 404
    for action in (
        f"{base}/actions/stop",
        f"{base}/delete",
        f"{base}/settings",
        f"{address}/retry",
        f"{address}/cancel",
    ):
        answer = pinecrest.post(action, {"confirm_name": "shop", "title": "Mine"})
        assert answer.status_code == 404
    assert "shop" not in pinecrest.client().get("/services/").text
    for path in (base, address, f"{address}/log"):
        assert pinecrest.api("GET", path).status_code == 404
    assert pinecrest.api("GET", "/services/").json["items"] == []


def test_the_api_orders_watches_and_deletes(northlight: Organisation) -> None:
    assert [k["name"] for k in northlight.api("GET", "/services/kinds").json] == ["toy"]
    made = northlight.api(
        "POST", "/services/", json={"kind": "toy", "name": "shop", "settings": {"password": "open sesame"}}
    )
    assert made.status_code == 202, made.text
    operation = made.json
    run_all()
    watched = northlight.api("GET", f"/operations/{operation['id']}").json
    assert watched["status"] == "succeeded" and [s["status"] for s in watched["steps"]] == ["done"] * 6
    (line,) = northlight.api("GET", f"/operations/{operation['id']}/log").json
    assert line["text"] == "made with •••"
    base = f"/services/{operation['service_id']}"
    found = northlight.api("GET", base)
    assert found.json["status"] == "active" and "sesame" not in found.text and "marker" not in found.text
    assert northlight.api("PATCH", base, json={"title": "Corner"}).json["title"] == "Corner"
    assert northlight.api("POST", f"{base}/actions/stop", json={}).status_code == 202
    run_all()
    assert northlight.api("GET", "/services/?status=stopped").json["items"][0]["name"] == "shop"
    assert northlight.api("POST", f"{base}/delete", json={"name": "ship"}).status_code == 422
    assert northlight.api("POST", f"{base}/delete", json={"name": "shop"}).status_code == 202
    run_all()
    assert northlight.api("GET", "/services/").json["items"] == []
    assert len(northlight.api("GET", "/operations/").json["items"]) == 3


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "kind"),
        ({"kind": "castle", "name": "x"}, 422, "kind"),
        ({"kind": "toy", "name": "-"}, 422, "name"),
        ({"kind": "toy", "name": "shop", "settings": {"colour": "mauve"}}, 422, "colour"),
        ({"kind": "toy", "name": "shop", "settings": {"unknown": 1}}, 422, "unknown"),
        ({"kind": "toy", "name": "shop", "settings": []}, 422, "settings"),
    ],
)
def test_bad_orders_are_problem_documents(
    northlight: Organisation, body: dict[str, Any], status: int, field: str
) -> None:
    answer = northlight.api("POST", "/services/", json=body)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert field in answer.text


def test_the_api_pages_by_cursor(northlight: Organisation) -> None:
    for name in ("one", "two", "three"):
        order(northlight, name)
    first = northlight.api("GET", "/services/?limit=2").json
    assert [s["name"] for s in first["items"]] == ["three", "two"]
    rest = northlight.api("GET", f"/services/?limit=2&after={first['next']}").json
    assert ([s["name"] for s in rest["items"]], rest["next"]) == (["one"], None)


class TestStaff:
    """The operator's desk."""

    def post(self, house: House, url: str, data: dict[str, str]) -> Any:
        return house.staff_client.post(url, data={**data, "csrf_token": house.csrf(house.staff_client)})

    def test_nodes_are_added_edited_and_drained(
        self, house: House, node: UUID, northlight: Organisation
    ) -> None:
        assert "toybox" in house.staff_client.get("/staff/nodes").text
        good = {"name": "second", "driver": "toy", "region": "There", "address": "", "capacity": "5"}
        made = self.post(house, "/staff/nodes/new", good)
        assert made.status_code == 303
        assert "There" in house.staff_client.get(made.headers["Location"]).text
        assert self.post(house, "/staff/nodes/new", good).status_code == 422
        assert self.post(house, "/staff/nodes/new", {**good, "name": "x y"}).status_code == 422
        edited = self.post(house, f"/staff/nodes/{node}", {**good, "name": "toybox", "capacity": "7"})
        assert edited.status_code == 303
        assert self.post(house, f"/staff/nodes/{node}/status", {"status": "draining"}).status_code == 303
        with transaction():
            found = nodes.get_node(node)
            assert (found.capacity, found.status, found.region) == (7, "draining", "There")
        assert northlight.client().get("/staff/nodes").status_code in (403, 404)

    def test_a_node_is_removed_where_nothing_is_on_it(
        self, house: House, node: UUID, northlight: Organisation
    ) -> None:
        spare = {"name": "spare", "driver": "toy", "region": "", "address": "", "capacity": "5"}
        at = self.post(house, "/staff/nodes/new", spare).headers["Location"]
        assert self.post(house, f"{at}/remove", {}).status_code == 303
        assert "spare" not in house.staff_client.get("/staff/nodes").text
        order(northlight)
        run_all()
        assert self.post(house, f"/staff/nodes/{node}/remove", {}).status_code == 409
        with transaction() as here:
            here.get_one(Node, node).used = 0  # as after its services are deleted, whose rows stay
        assert self.post(house, f"/staff/nodes/{node}/remove", {}).status_code == 303
        with transaction():
            assert (nodes.get_node(node).status, nodes.get_node(node).secrets) == ("offline", None)

    def test_all_services_and_drift(self, house: House, northlight: Organisation, world: Path) -> None:
        order(northlight)
        run_all()
        assert "Northlight" in house.staff_client.get("/staff/services").text
        (world / "sites" / "shop" / "running").unlink()
        drift.sweep()
        page = house.staff_client.get("/staff/drift").text
        assert "Other state" in page and "Northlight" in page
        address = re.search(r'action="(/staff/drift/[^"]+/settle)"', page)
        assert address is not None
        assert self.post(house, address[1], {}).status_code == 303
        assert "No differences" in house.staff_client.get("/staff/drift").text
        assert self.post(house, "/staff/drift/sweep", {}).status_code == 303
        run_all()
        assert "Other state" in house.staff_client.get("/staff/drift").text
