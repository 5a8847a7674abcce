"""What every endpoint shares: problem documents, idempotency keys, lists by cursor, keys and nothing else."""

from __future__ import annotations

import json

from chom_core.values.principal import Role
from chom_sdk.testing import Organisation, World


def project(organisation: Organisation, name: str, **headers: str) -> tuple[int, dict[str, object]]:
    answer = organisation.api("POST", "/projects/", json={"name": name}, headers=headers)
    return answer.status_code, answer.json


def names(organisation: Organisation) -> list[str]:
    return [item["name"] for item in organisation.api("GET", "/projects/?limit=200").json["items"]]


def test_errors_are_problem_documents_that_say_what_to_do(chom: World, organisation: Organisation) -> None:
    stranger = chom.app.test_client().get("/api/v1/projects/")
    assert stranger.status_code == 401
    assert stranger.mimetype == "application/problem+json"
    assert stranger.headers["WWW-Authenticate"].startswith("Bearer")
    assert {"type", "title", "status", "detail", "instance", "request_id", "fix"} <= set(stranger.json)
    for path, method, status in (
        ("/projects/", "GET", 404),
        ("/nowhere", "GET", 404),
        ("/services/", "PUT", 405),
    ):
        answer = organisation.api(method, path)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
        assert answer.json["status"] == status


def test_what_is_no_json_is_told_so(organisation: Organisation) -> None:
    organisation.enable("projects")
    answer = organisation.api("POST", "/projects/", data="{", content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


def test_the_same_key_acts_once_and_answers_the_same(organisation: Organisation) -> None:
    organisation.enable("projects")
    first = organisation.api("POST", "/projects/", json={"name": "One"}, headers={"Idempotency-Key": "k1"})
    again = organisation.api("POST", "/projects/", json={"name": "One"}, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json) == (first.status_code, first.json)
    assert again.headers["Idempotent-Replay"] == "true"
    assert names(organisation) == ["One"]


def test_the_same_key_for_something_else_is_refused(organisation: Organisation) -> None:
    organisation.enable("projects")
    project(organisation, "One", **{"Idempotency-Key": "k1"})
    assert project(organisation, "Two", **{"Idempotency-Key": "k1"})[0] == 422
    assert names(organisation) == ["One"]


def test_a_key_whose_request_failed_may_be_used_again(organisation: Organisation) -> None:
    organisation.enable("projects")
    bad = organisation.api("POST", "/projects/", json={"name": ""}, headers={"Idempotency-Key": "k1"})
    assert bad.status_code == 422
    assert project(organisation, "One", **{"Idempotency-Key": "k1"})[0] == 201


def test_keys_of_two_organisations_do_not_meet(
    organisation: Organisation, other_organisation: Organisation
) -> None:
    for each in (organisation, other_organisation):
        each.enable("projects")
        assert project(each, each.name, **{"Idempotency-Key": "k1"})[0] == 201
    assert names(organisation) == ["Northlight"]
    assert names(other_organisation) == ["Pinecrest"]


def test_lists_go_by_cursor_without_gap_or_repeat(organisation: Organisation) -> None:
    organisation.enable("projects")
    made = [f"p{n}" for n in range(7)]
    for name in made:
        project(organisation, name)
    found, after = [], ""
    while True:
        page = organisation.api("GET", f"/projects/?limit=3{after}").json
        found += [item["name"] for item in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == made[::-1]
    for query in ("limit=0", "limit=201", "limit=x", "after=x"):
        assert organisation.api("GET", f"/projects/?{query}").status_code == 422


def test_a_cookie_is_no_key(organisation: Organisation) -> None:
    organisation.enable("projects")
    assert organisation.client().get("/api/v1/projects/").status_code == 401


def test_only_a_key_that_stands_opens_the_api(organisation: Organisation) -> None:
    from chom_core.identity.service import api_keys, revoke_api_key

    organisation.enable("projects")
    assert organisation.api("GET", "/projects/", role=Role.VIEWER).status_code == 200
    assert organisation.api("POST", "/projects/", role=Role.VIEWER, json={"name": "x"}).status_code == 403
    client = organisation.world.app.test_client()
    for header in ("Bearer chom_no", "Bearer ", "Basic eDp5", f"bearer  {organisation.key()}x", "x"):
        assert client.get("/api/v1/projects/", headers={"Authorization": header}).status_code == 401
    with organisation.acting():
        for row in api_keys():
            revoke_api_key(row.id)
    assert organisation.api("GET", "/projects/", role=Role.VIEWER).status_code == 401


def test_the_document_describes_every_route_and_names_schemas_by_plugin(chom: World) -> None:
    document = json.loads(chom.app.test_client().get("/api/v1/openapi.json").data)
    assert document["openapi"].startswith("3.1")
    assert "ProjectsProject" in " ".join(document["components"]["schemas"])
    documented = set(document["paths"])
    for rule in chom.app.url_map.iter_rules():
        if str(rule).startswith("/api/v1/") and rule.endpoint != "openapi":
            path = (
                str(rule).replace("<uuid:", "{").replace("<string:", "{").replace("<", "{").replace(">", "}")
            )
            assert path in documented, path
