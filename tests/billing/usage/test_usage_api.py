"""Usage over the API: one statement of truth in, problem documents for what is not."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from chom_core.billing.models import UsageEvent
from chom_core.database import clock, transaction
from chom_core.identity.service import create_api_key
from chom_core.values import SYSTEM, Role, uuid7
from tests.billing.shop import buy
from tests.billing.test_pages import app, mara
from tests.identity.conftest import Browser

__all__ = ["app", "mara"]


@pytest.fixture
def call(app: Flask, mara: tuple[Browser, UUID]) -> Any:
    _, tenant = mara
    with transaction(tenant, SYSTEM):
        secrets = {
            "all": create_api_key("all", role=Role.ADMIN).secret,
            "write": create_api_key("write", role=Role.ADMIN, scopes=["usage:write"]).secret,
            "read": create_api_key("read", role=Role.VIEWER, scopes=["usage:read"]).secret,
        }
    buy(tenant)

    def calling(method: str, path: str, *, key: str = "all", **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {secrets[key]}"}
        return app.test_client().open(
            f"/api/v1/billing/usage{path}", method=method, headers=headers, **options
        )

    return calling


def stored(tenant: UUID) -> int:
    with transaction(tenant) as here:
        return here.scalar(select(func.count(UsageEvent.id))) or 0


def test_events_come_in_and_their_days_go_out(call: Any) -> None:
    one = {"id": "T1", "meter": "traffic_gb", "value": "1.5", "properties": {"host": "a"}}
    assert call("POST", "/events", json=one).json == {"accepted": 1, "duplicates": [], "unmatched": []}
    assert call("POST", "/events", json=one).json == {"accepted": 0, "duplicates": [0], "unmatched": []}
    batch = [{"id": f"B{i}", "meter": "traffic_gb", "value": 2} for i in range(3)] + [
        {"id": "U", "meter": "nothing"}
    ]
    answer = call("POST", "/events/batch", json={"events": batch})
    assert answer.status_code == 201
    assert answer.json["unmatched"] == [{"index": 3, "reason": "unknown_meter"}]
    days = call("GET", "/days?meter=traffic_gb").json
    assert [(day["quantity"], day["events"]) for day in days] == [("7.500000000", 4)]
    (traffic,) = [one for one in call("GET", "").json if one["meter"]["name"] == "traffic_gb"]
    assert (traffic["used"], traffic["included"], traffic["plan"]) == ("7.5", "500.000000", "Pro")
    assert [one["id"] for one in call("GET", "/events?unmatched=true").json] == ["U"]
    assert [one["id"] for one in call("GET", "/events?limit=2").json] == ["U", "B2"]
    assert call("POST", "/events/T1/corrections", json={"id": "C1", "value": "0.5"}).status_code == 201
    assert call("GET", "/days?meter=traffic_gb").json[0]["quantity"] == "6.500000000"
    sheet = call("GET", "/reconciliation").json
    assert (sheet["received"], sheet["counted"], sheet["replaced"]) == (6, 4, 1)
    assert sheet["unmatched"] == {"unknown_meter": 1}


GOOD = {"id": "x", "meter": "traffic_gb", "value": 1}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400), ("[]", 422), ("{}", 422), ('{"id": "x"}', 422),
        (json.dumps(GOOD | {"value": "NaN"}), 422), ('{"id": "x", "meter": "traffic_gb", "value": NaN}', 422),
        (json.dumps(GOOD | {"value": "1e999999"}), 422), (json.dumps(GOOD | {"value": -1}), 422),
        (json.dumps(GOOD | {"value": True}), 422), (json.dumps(GOOD | {"value": None}), 422),
        (json.dumps(GOOD | {"id": "x" * 101}), 422), (json.dumps(GOOD | {"id": "\x00"}), 422),
        (json.dumps(GOOD | {"id": "\ud800"}), 422), (json.dumps(GOOD | {"id": 5}), 422),
        (json.dumps(GOOD | {"at": "9999-12-31T23:59:59Z"}), 422), (json.dumps(GOOD | {"at": "2026-11-22"}), 422),
        (json.dumps(GOOD | {"at": "2026-11-22T12:00:00"}), 422),
        (json.dumps(GOOD | {"at": "0001-01-01T00:00:00+14:00"}), 422),
        (json.dumps(GOOD | {"subject": str(uuid7())}), 404), (json.dumps(GOOD | {"subject": "x"}), 422),
        (json.dumps(GOOD | {"properties": {"a": [1]}}), 422), (json.dumps(GOOD | {"price": 1}), 422),
        (json.dumps(GOOD | {"meter": "m" * 5000}), 422), (json.dumps(GOOD | {"properties": {"a": 10**400}}), 422),
    ],
)  # fmt: skip
def test_bad_events_are_problem_documents_and_nothing_is_written(
    call: Any, mara: tuple[Browser, UUID], body: str, status: int
) -> None:
    for path, sent in (
        ("/events", body),
        ("/events/batch", f'{{"events": [{json.dumps(GOOD | {"id": "ok"})}, {body}]}}'),
    ):
        answer = call("POST", path, data=sent, content_type="application/json")
        assert answer.status_code == status, answer.text
        assert answer.mimetype == "application/problem+json"
    assert stored(mara[1]) == 0


def test_faults_are_named_by_their_place(call: Any) -> None:
    answer = call("POST", "/events/batch", json={"events": [GOOD, GOOD | {"id": "y", "value": -1}]})
    assert answer.json["errors"] == {
        "events.1.value": ["Not below zero. To take something back, send a correction."]
    }
    two = call("POST", "/events/batch", json={"events": [GOOD, {"id": 5}]}).json["errors"]
    assert two.keys() == {"events.1.id", "events.1.meter"}
    assert call("POST", "/events", json=GOOD | {"value": -1}).json["errors"].keys() == {"value"}
    assert call("POST", "/events/batch", json={"events": []}).status_code == 422
    assert (
        call(
            "POST", "/events/batch", json={"events": [GOOD | {"id": str(i)} for i in range(101)]}
        ).status_code
        == 422
    )


def test_an_id_with_another_body_is_a_conflict(call: Any) -> None:
    assert call("POST", "/events", json=GOOD).status_code == 201
    assert call("POST", "/events", json=GOOD | {"value": 2}).status_code == 409
    late = (clock.now() - timedelta(days=36)).isoformat()
    assert (
        call("POST", "/events", json=GOOD | {"id": "late", "at": late}).json["unmatched"][0]["reason"]
        == "outside_window"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/days?meter=no",
        "/days?meter=traffic_gb&start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z",
        "/days",
        "/events?limit=0",
        "/events?limit=201",
        "/events?after=x",
    ],
)
def test_bad_questions_are_problem_documents(call: Any, path: str) -> None:
    answer = call("GET", path)
    assert answer.status_code in (404, 422)
    assert answer.mimetype == "application/problem+json"


def test_scopes_and_roles_are_asked(call: Any) -> None:
    assert call("POST", "/events", json=GOOD, key="write").status_code == 201
    assert call("POST", "/events", json=GOOD, key="read").status_code == 403
    assert call("GET", "", key="write").status_code == 403
    assert call("GET", "", key="read").status_code == 200
    assert call("GET", "/reconciliation", key="read").status_code == 403
