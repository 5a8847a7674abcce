"""A program of a reseller's decides about its customers' unpaid invoices as the pages do, and about nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, select

from chom_core.audit.models import AuditEntry
from chom_core.billing.models import Invoice
from chom_core.billing.service.dunning import desk
from chom_core.billing.service.partners import terms
from chom_core.database import PLATFORM_ID, transaction
from chom_core.identity.service import create_api_key
from chom_core.rest.models import IdempotencyKey
from chom_core.values import SYSTEM, Role
from chom_core.work.models import JobRow
from tests.billing.payouts.test_customers_unpaid import LIST, ladder, late, owing, strangers
from tests.billing.payouts.test_wholesale import brightside, customers
from tests.billing.test_pages import app

__all__ = ["app", "brightside", "late", "strangers"]
Caller = Callable[..., Any]
BODIES: dict[str, dict[str, Any]] = {
    "retry": {"attempt": "once"},
    "extend": {"days": 9, "reason": "r"},
    "waive": {"reason": "r"},
}


def caller(app: Flask, organisation: UUID, role: Role = Role.BILLING, scopes: tuple[str, ...] = ()) -> Caller:
    """What calls with a key of the organisation's: at an address of the pages, in the API."""
    with transaction(organisation, SYSTEM):
        secret = create_api_key("Its program", role=role, scopes=scopes).secret

    def call(method: str, at: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        headers |= {"Authorization": f"Bearer {secret}"}
        url = at.replace(LIST, "/api/v1/billing/selling/unpaid")
        return app.test_client().open(url, method=method, json=body, headers=headers)

    return call


@pytest.fixture
def call(app: Flask, brightside: UUID) -> Caller:
    return caller(app, brightside)


def test_the_list_leads_to_the_ladder(call: Caller, late: tuple[UUID, str]) -> None:
    (one,) = call("GET", LIST).json
    assert (one["customer"], one["info"]["due"]["amount"]) == ("Customer0", 3900)
    whole = call("GET", f"{LIST}/{one['customer_id']}/{one['info']['id']}")
    assert whole.status_code == 200
    assert whole.json == one | {"steps": []}


def test_it_decides_and_the_customers_log_says_who(call: Caller, late: tuple[UUID, str]) -> None:
    customer, at = late
    before = ladder(customer).suspend_at
    for _ in range(2):  # the same attempt again asks nobody
        assert call("POST", f"{at}/retry", {"attempt": "once"}).status_code == 200
    put_off = call("POST", f"{at}/extend", {"days": 10, "reason": "Their bank moved"})
    assert put_off.status_code == 200
    assert (ladder(customer).suspend_at - before).days == 10
    assert [(step["kind"], step["note"]) for step in put_off.json["steps"]] == [
        ("extend", "Their bank moved")
    ]
    let_off = call("POST", f"{at}/waive", {"reason": "Our fault"}).json
    assert (let_off["info"]["status"], let_off["info"]["due"]["amount"]) == ("waived", 0)
    assert call("GET", LIST).json == []
    with transaction(customer) as unit:
        assert unit.scalars(select(Invoice.status)).all() == ["paid"]
        assert unit.scalars(select(JobRow.tenant_id).where(JobRow.kind == desk.ASK)).all() == [customer]
        told = unit.execute(select(AuditEntry.action, AuditEntry.actor_name)).all()
    decided = [(action, who) for action, who in told if action.startswith("dunning.")]
    assert [action for action, _who in decided] == ["dunning.retried", "dunning.extended", "dunning.waived"]
    assert all("Its program" in who for _action, who in decided)


def test_the_same_key_puts_off_once(call: Caller, late: tuple[UUID, str]) -> None:
    customer, at = late
    before = ladder(customer).suspend_at
    body = {"days": 10, "reason": "Their bank moved"}
    first, again = (call("POST", f"{at}/extend", body, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["Idempotent-Replay"] == "true" and again.json == first.json
    assert (ladder(customer).suspend_at - before).days == 10
    assert call("POST", f"{at}/extend", body | {"days": 11}, **{"Idempotency-Key": "k"}).status_code == 422


def test_a_crash_between_the_decision_and_its_answer_puts_off_once(
    call: Caller, brightside: UUID, late: tuple[UUID, str]
) -> None:
    """The customer's unit is kept before the reseller's, which holds the key: what names the decision is in both."""
    customer, at = late
    before = ladder(customer).suspend_at
    for _ in range(2):
        put_off = call("POST", f"{at}/extend", {"days": 10, "reason": "r"}, **{"Idempotency-Key": "k"})
        assert put_off.status_code == 200 and len(put_off.json["steps"]) == 1
        with transaction(brightside) as unit:
            unit.execute(delete(IdempotencyKey))
    assert (ladder(customer).suspend_at - before).days == 10
    call("POST", f"{at}/extend", {"days": 10, "reason": "r"}, **{"Idempotency-Key": "l"})
    assert (ladder(customer).suspend_at - before).days == 20


def test_what_makes_no_sense_is_refused_in_place(call: Caller, late: tuple[UUID, str]) -> None:
    customer, at = late
    before = ladder(customer).suspend_at
    for act, body, field in (
        ("retry", {}, "attempt"),
        ("retry", {"attempt": "  "}, "attempt"),
        ("extend", {"days": 9}, "reason"),
        ("extend", {"days": 0, "reason": "r"}, "days"),
        ("extend", {"days": 91, "reason": "r"}, "days"),
        ("extend", {"days": 9, "reason": "  "}, "reason"),
        ("waive", {"reason": ""}, "reason"),
    ):
        refused = call("POST", f"{at}/{act}", body)
        assert refused.status_code == 422 and field in refused.json["errors"], refused.text
    assert (ladder(customer).status, ladder(customer).suspend_at) == ("open", before)


def test_nobody_elses(app: Flask, call: Caller, strangers: list[str], late: tuple[UUID, str]) -> None:
    """Of another reseller, of the platform, its own; nor are the platform and a customer resellers."""
    customer, at = late
    known = [(call, one) for one in strangers]
    known += [(caller(app, one), at) for one in (PLATFORM_ID, customer)]
    known += [(call, at.replace(str(customer), one.split("/")[-2])) for one in strangers]
    for calling, address in known:
        assert calling("GET", address).status_code == 404
        for act, body in BODIES.items():
            assert calling("POST", f"{address}/{act}", body).status_code == 404
    for address in (at, *strangers):
        one = ladder(UUID(address.split("/")[-2]))
        assert (one.status, one.told_at) == ("open", None)


def test_who_may_not_pay_may_not_decide(app: Flask, brightside: UUID, late: tuple[UUID, str]) -> None:
    customer, at = late
    reader = caller(app, brightside, scopes=("billing:read",))
    assert reader("GET", at).status_code == 200
    for calling in (caller(app, brightside, Role.VIEWER), caller(app, brightside, Role.MEMBER), reader):
        for act, body in BODIES.items():
            assert calling("POST", f"{at}/{act}", body).status_code == 403
    assert caller(app, brightside, Role.VIEWER)("GET", at).status_code == 403
    assert ladder(customer).status == "open"


def test_by_share_it_only_looks(call: Caller, brightside: UUID) -> None:
    with transaction(brightside):
        terms.choose("share")
    (customer,) = customers(brightside, 1)
    at = f"{LIST}/{customer}/{owing(customer)}"
    assert call("GET", at).json["customer"] == "Customer0"
    for act, body in BODIES.items():
        assert call("POST", f"{at}/{act}", body).status_code == 409
    assert (ladder(customer).status, ladder(customer).told_at) == ("open", None)


def test_the_document_tells_of_them(app: Flask) -> None:
    document = app.test_client().get("/api/v1/openapi.json").json
    at = "/api/v1/billing/selling/unpaid/{customer_id}/{owed_id}"
    assert "get" in document["paths"][at]
    for act in BODIES:
        told = document["paths"][f"{at}/{act}"]["post"]
        assert told["summary"] and "requestBody" in told and "200" in told["responses"]
    assert "CustomerLadder" in document["components"]["schemas"]
