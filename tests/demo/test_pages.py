"""The demo's own pages: they exist in a demo only, and only its own people can be entered as."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from chom_core import app as application
from chom_core import config
from chom_core.database import transaction
from chom_core.demo import people, sites
from chom_core.demo.company import company
from chom_core.identity.models import Person
from chom_core.values.principal import Role
from chom_sdk.testing.world import World


@pytest.fixture
def demo(chom: World, tmp_path: Path) -> Iterator[Flask]:
    """An app with the demo's pages, on a database with the demo's company."""
    assert chom.app
    list(people.settle_in(company().brief(), "a lantern in the fog", str(tmp_path)))
    settings = config.settings()
    yield application.create_app(dataclasses.replace(settings, demo=True, data_folder=tmp_path))
    config.use(settings)
    assert sites.stop_sites() == []  # who runs the jobs builds the demo's sites too


def token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


def test_without_demo_there_is_no_way_in(chom: World) -> None:
    rules = [rule.rule for rule in chom.app.url_map.iter_rules() if rule.endpoint.startswith("demo.")]
    assert rules == []
    client = chom.app.test_client()
    assert client.get("/demo/").status_code == 404
    assert "Enter as" not in client.get("/").text
    assert "Sandbox" not in client.get("/").text


def test_everybody_can_be_entered_as_and_nobody_else(demo: Flask, chom: World) -> None:
    stranger = chom.organisation("Stranger")
    with transaction() as here:
        email = here.get_one(Person, stranger.people[Role.OWNER]).email
    client = demo.test_client()
    page = client.get("/demo/").text
    for person in company().people:
        answer = client.post("/demo/enter", data={"email": person.email, "csrf_token": token(page)})
        assert answer.status_code == 303, f"{person.email}: {answer.text[-500:]}"
        inside = client.get(answer.location, follow_redirects=True)
        assert inside.status_code == 200 and person.name in inside.text and "Sandbox" in inside.text
        page = client.get("/demo/").text
    refused = client.post("/demo/enter", data={"email": email, "csrf_token": token(page)})
    assert refused.status_code == 404
    assert client.get("/home").status_code == 200, "who was refused stays who they were"


def test_entering_needs_the_forms_token(demo: Flask) -> None:
    """Another site must not log a visitor in as somebody."""
    answer = demo.test_client().post("/demo/enter", data={"email": company().people[0].email})
    assert answer.status_code == 403


def test_the_clock_moves_one_organisation_and_takes_known_steps_only(demo: Flask, chom: World) -> None:
    client = demo.test_client()
    data = {"email": "sol@tidewater.example", "csrf_token": token(client.get("/demo/").text)}
    client.post("/demo/enter", data=data)
    page = client.get("/demo/clock").text
    assert "Real time" in page
    assert client.post("/demo/clock", data={"days": "4000", "csrf_token": token(page)}).status_code == 422
    assert client.post("/demo/clock", data={"days": "7", "csrf_token": token(page)}).status_code == 303
    assert "data-live" in client.get("/demo/clock").text
    chom.run_jobs()
    moved = client.get("/demo/clock").text
    assert "It stands" in moved and "Real time:" not in moved
    assert client.post("/demo/clock", data={"to": "real", "csrf_token": token(moved)}).status_code == 303
    assert "Real time" in client.get("/demo/clock").text
