"""Disputes over the API: keys of the platform do what staff do on the pages, and nobody else's see any."""

from __future__ import annotations

from typing import Any

from flask import Flask

from chom_core.database import PLATFORM_ID, transaction
from chom_core.identity.service import create_api_key
from chom_core.values import Role
from chom_core.work import run_all
from tests.billing.bank import Bank, disputed
from tests.billing.test_dispute_pages import bank, in_days
from tests.billing.test_pages import app
from tests.conftest import make_tenant

__all__ = ["app", "bank"]


def test_the_api_does_what_the_pages_do(app: Flask, bank: Bank) -> None:
    tenant = make_tenant("Northlight")
    of = disputed(tenant, evidence_due=in_days(3))
    with transaction(PLATFORM_ID):
        admin = create_api_key("staff", role=Role.ADMIN).secret
        clerk = create_api_key("clerk", role=Role.BILLING).secret
    with transaction(tenant):
        customer = create_api_key("customer", role=Role.ADMIN).secret
    root = "/api/v1/billing/selling/disputes"

    def call(method: str, path: str = "", key: str = admin, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        return app.test_client().open(f"{root}{path}", method=method, headers=headers, json=body or None)

    listed = call("GET").get_json()
    assert [(one["reference"], one["state"], one["amount"]["amount"]) for one in listed] == [
        ("dp_1", "needs_answer", 5000)
    ]
    assert call("GET", "?state=won").get_json() == []
    shown = call("GET", f"/{of}").get_json()
    assert [field["name"] for field in shown["proposed"]] == ["customer_name", "notes"]
    assert shown["answer"] is None
    for key, status in ((customer, 404), (clerk, 200)):
        assert call("GET", key=key).status_code == status
        assert call("GET", f"/{of}", key=key).status_code == status
    assert call("PUT", f"/{of}/evidence", clerk, version=0, evidence={"notes": "x"}).status_code == 403
    assert call("PUT", f"/{of}/evidence", customer, version=0, evidence={"notes": "x"}).status_code == 404
    assert call("POST", f"/{of}/accept", customer, version=0).status_code == 404
    assert call("PUT", f"/{of}/evidence", version=0, evidence={"receipt": "x"}).status_code == 422
    kept = call("PUT", f"/{of}/evidence", version=0, evidence={"notes": "used"})
    assert (kept.status_code, kept.get_json()["answer"]["version"]) == (200, 1)
    assert call("POST", f"/{of}/send", version=0).status_code == 409
    for _ in range(2):
        sent = call("POST", f"/{of}/send", version=1)
        assert (sent.status_code, sent.get_json()["info"]["state"]) == (200, "sending")
    assert call("POST", f"/{of}/accept", version=1).status_code == 409
    run_all(tenant)
    assert bank.told == {"dp_1": ("evidence", {"notes": "used"})}
    assert call("GET", f"/{of}").get_json()["answer"]["status"] == "sent"
    assert call("GET", f"/{tenant}").status_code == 404
