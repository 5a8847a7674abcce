"""What projects do, as people and programs see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from chom_projects import service
from chom_projects.schemas import COLOURS, ICONS

from chom_sdk import BillingPeriod, Money, Role
from chom_sdk.testing import Organisation, World


def project(organisation: Organisation, name: str, *services: UUID, tags: tuple[str, ...] = ()) -> UUID:
    values = {"name": name, "colour": COLOURS[0], "icon": ICONS[0], "tags": list(tags)}
    with organisation.acting():
        made = service.create(values)
        for service_id in services:
            service.put_service(made.id, service_id)
        return made.id


def inside(organisation: Organisation, project_id: UUID) -> list[UUID]:
    with organisation.acting():
        return service.members([project_id])[project_id]


@pytest.fixture
def sites(northlight: Organisation) -> Iterator[tuple[UUID, UUID, UUID]]:
    """Two that are paid for by themselves, and one that is not."""
    return (
        northlight.service("corner", price=Money.of("9.00", "USD")),
        northlight.service("atlas", price=Money.of("120.00", "USD"), period=BillingPeriod.ANNUAL),
        northlight.service("harbour"),
    )


def test_a_project_is_made_on_its_form_and_shown_in_the_list(northlight: Organisation) -> None:
    form = {
        "name": " Client ABC ",
        "colour": "#112233",
        "icon": "rocket",
        "tags": "prod\nlive",
        "notes": "Ask Kim.",
    }
    answer = northlight.post("/projects/new", form, role=Role.MEMBER)
    assert answer.status_code == 303
    page = northlight.client().get(answer.location).text
    assert "Client ABC" in page
    assert "Ask Kim." in page
    listed = northlight.client(Role.VIEWER).get("/projects/").text
    assert "Client ABC" in listed
    assert ">prod<" in listed


def test_a_wrong_form_says_what_is_wrong_and_keeps_what_was_typed(northlight: Organisation) -> None:
    answer = northlight.post("/projects/new", {"name": "", "colour": "red", "notes": "precious words"})
    assert answer.status_code == 422
    assert "precious words" in answer.text
    assert "hexadecimal" in answer.text
    with northlight.acting():
        assert service.projects() == []


def test_a_name_is_given_once(northlight: Organisation) -> None:
    project(northlight, "Production")
    answer = northlight.post("/projects/new", {"name": "PRODUCTION", "colour": COLOURS[0], "icon": ICONS[0]})
    assert answer.status_code == 422
    assert "This name is taken." in answer.text


def test_a_service_is_in_one_project_at_most(
    northlight: Organisation, sites: tuple[UUID, UUID, UUID]
) -> None:
    first, second = project(northlight, "First", sites[0]), project(northlight, "Second")
    assert inside(northlight, first) == [sites[0]]
    northlight.post(f"/projects/{second}/services", {"service_id": str(sites[0])})
    assert inside(northlight, first) == []
    assert inside(northlight, second) == [sites[0]]


def test_its_service_page_shows_the_project_and_changes_it(
    northlight: Organisation, sites: tuple[UUID, UUID, UUID]
) -> None:
    made = project(northlight, "Production")
    assert "In no project" in northlight.client().get(f"/services/{sites[0]}").text
    answer = northlight.post(f"/projects/of/{sites[0]}", {"project_id": str(made)})
    assert answer.location.endswith(f"/services/{sites[0]}")
    assert f'<option value="{made}" selected>' in northlight.client().get(f"/services/{sites[0]}").text
    northlight.post(f"/projects/of/{sites[0]}", {"project_id": ""})
    assert inside(northlight, made) == []


def test_the_bill_adds_up_what_its_services_cost_by_the_month(
    northlight: Organisation, sites: tuple[UUID, UUID, UUID]
) -> None:
    made = project(northlight, "Production", *sites)
    with northlight.acting():
        bill = service.bills([made])[made]
    assert bill.totals == [Money.of("19.00", "USD")]  # 9.00 + 120.00 / 12
    assert [info.name for info, _cost in bill.lines] == ["atlas", "corner", "harbour"]
    assert "$19.00" in northlight.client().get(f"/projects/{made}").text
    assert "$19.00" in northlight.client().get("/home").text


def test_two_currencies_are_two_totals(northlight: Organisation) -> None:
    made = project(
        northlight,
        "Both",
        northlight.service("one", price=Money.of("9.00", "USD")),
        northlight.service("two", price=Money.of("8.00", "EUR")),
    )
    with northlight.acting():
        assert service.bills([made])[made].totals == [Money.of("8.00", "EUR"), Money.of("9.00", "USD")]


def test_the_bill_is_a_spreadsheet_too(northlight: Organisation, sites: tuple[UUID, UUID, UUID]) -> None:
    answer = northlight.client().get(
        f"/projects/{project(northlight, '=Production', *sites)}/bill.csv", buffered=True
    )
    assert answer.mimetype == "text/csv"
    rows = answer.text.lstrip("\ufeff").splitlines()
    assert rows[0] == "Service,Kind,Price,A month,Currency"
    assert rows[1:3] == ["atlas,sample,$120.00/year,10.00,USD", "corner,sample,$9.00/month,9.00,USD"]
    assert rows[3].startswith("harbour,sample,")


def shown(page: str) -> set[str]:
    return set(re.findall(r'<a class="cell-main" href="/services/[^"]+">([^<]+)</a>', page))


def test_the_list_of_services_filters_by_project_and_tag(
    northlight: Organisation, sites: tuple[UUID, UUID, UUID]
) -> None:
    first = project(northlight, "First", sites[0], tags=("live",))
    project(northlight, "Second", sites[1], tags=("live",))
    client = northlight.client(Role.VIEWER)
    assert shown(client.get("/services/").text) == {"corner", "atlas", "harbour"}
    assert shown(client.get(f"/services/?project={first}").text) == {"corner"}
    assert shown(client.get("/services/?tag=live").text) == {"corner", "atlas"}
    assert shown(client.get("/services/?tag=nowhere").text) == set()


def test_the_list_of_services_names_each_ones_project(
    northlight: Organisation, sites: tuple[UUID, UUID, UUID]
) -> None:
    made = project(northlight, "Production", sites[0])
    page = northlight.client().get("/services/").text
    assert f'<a href="/projects/{made}">Production</a>' in page


def test_a_deleted_service_leaves_its_project(
    chom: World, northlight: Organisation, sites: tuple[UUID, UUID, UUID]
) -> None:
    made = project(northlight, "Production", *sites[:2])
    northlight.delete_service(sites[0])
    chom.run_jobs()
    assert inside(northlight, made) == [sites[1]]


def test_deleting_a_project_asks_for_its_name_and_keeps_its_services(
    northlight: Organisation, sites: tuple[UUID, UUID, UUID]
) -> None:
    made = project(northlight, "Production", sites[0])
    assert northlight.post(f"/projects/{made}/delete", {"confirm_name": "Prod"}).status_code == 422
    assert inside(northlight, made) == [sites[0]]
    assert northlight.post(f"/projects/{made}/delete", {"confirm_name": "Production"}).status_code == 303
    assert northlight.client().get(f"/projects/{made}").status_code == 404
    assert northlight.client().get(f"/services/{sites[0]}").status_code == 200


def test_another_organisations_service_cannot_be_put_in(
    northlight: Organisation, other_organisation: Organisation
) -> None:
    made, theirs = project(northlight, "Production"), other_organisation.service("secret")
    assert northlight.post(f"/projects/{made}/services", {"service_id": str(theirs)}).status_code == 404
    assert northlight.api("PUT", f"/projects/{made}/services/{theirs}").status_code == 404
    assert inside(northlight, made) == []


def test_programs_do_the_same_over_the_api(northlight: Organisation, sites: tuple[UUID, UUID, UUID]) -> None:
    made = northlight.api("POST", "/projects/", json={"name": "Production", "tags": ["live"]})
    assert made.status_code == 201
    where = f"/projects/{made.json['id']}"
    assert northlight.api("PUT", f"{where}/services/{sites[0]}").status_code == 204
    assert northlight.api("GET", where).json["services"] == [str(sites[0])]
    assert northlight.api("GET", f"{where}/bill").json["totals"] == [{"amount": 900, "currency": "USD"}]
    assert northlight.api("PUT", where, json={"name": "Live"}).json["name"] == "Live"
    assert [item["name"] for item in northlight.api("GET", "/projects/").json["items"]] == ["Live"]
    assert northlight.api("DELETE", f"{where}/services/{sites[0]}").status_code == 204
    assert northlight.api("GET", where).json["services"] == []
    assert northlight.api("DELETE", where).status_code == 204
    assert northlight.api("GET", where).status_code == 404


def test_the_api_says_which_field_is_wrong(northlight: Organisation) -> None:
    answer = northlight.api("POST", "/projects/", json={"name": "x", "colour": "red", "weight": 3})
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert set(answer.json["errors"]) == {"colour", "weight"}
    assert northlight.api("GET", "/projects/?limit=0").status_code == 422


def test_a_key_reads_or_writes_by_its_scopes(northlight: Organisation) -> None:
    def call(method: str, *scopes: str) -> int:
        headers = {"Authorization": f"Bearer {northlight.key(Role.ADMIN, scopes)}"}
        body = {"name": "Production"} if method == "POST" else None
        client = northlight.world.app.test_client()
        status: int = client.open("/api/v1/projects/", method=method, headers=headers, json=body).status_code
        return status

    assert call("GET", "projects:read") == 200
    assert call("POST", "projects:read") == 403
    assert call("GET", "services:read") == 403
    assert call("POST", "projects:write") == 201


def test_new_projects_start_in_the_organisations_colour(northlight: Organisation) -> None:
    from chom_sdk import settings

    with northlight.acting():
        settings.write("projects", {"default_colour": "#123456"})
    assert 'value="#123456"' in northlight.client().get("/projects/new").text


def test_what_happens_is_in_the_audit_log(northlight: Organisation) -> None:
    project(northlight, "Production")
    page = northlight.client().get("/organisation/activity").text
    assert "Production" in page
