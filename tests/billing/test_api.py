"""Billing over the API: what is for sale, a preview that equals the invoice, invoices, payments, bad input."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from chom_core.billing.service.buying import checkout
from chom_core.database import transaction
from chom_core.identity.service import create_api_key
from chom_core.values import SYSTEM, Role
from tests.billing.shop import click, order
from tests.billing.test_pages import app, mara
from tests.identity.conftest import Browser

__all__ = ["app", "mara"]


@pytest.fixture
def call(app: Flask, mara: tuple[Browser, UUID]) -> Any:
    _, tenant = mara
    with transaction(tenant, SYSTEM):
        secrets = {role: create_api_key("test", role=role).secret for role in (Role.BILLING, Role.VIEWER)}

    def calling(method: str, path: str, *, role: Role = Role.BILLING, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {secrets[role]}"}
        return app.test_client().open(f"/api/v1/billing{path}", method=method, headers=headers, **options)

    return calling


def test_a_preview_is_the_invoice_to_the_cent(call: Any, mara: tuple[Browser, UUID]) -> None:
    plans = {plan["code"]: plan for plan in call("GET", "/plans?period=annual").json}
    assert plans["pro"]["price"] == {"amount": 80580, "currency": "USD"}
    assert plans["pro"]["saving"]["amount"] == 14220
    preview = call("POST", "/preview", json={"plan": "pro"})
    assert preview.status_code == 200, preview.text
    with transaction(mara[1]):
        checkout.buy(order(), click())
    (invoice,) = call("GET", "/invoices").json
    for name in ("lines", "subtotal", "tax", "total", "tax_note", "currency"):
        if name == "lines":
            amounts = [[line["amount"] for line in one["lines"]] for one in (preview.json, invoice)]
            assert amounts[0] == amounts[1]
        else:
            assert preview.json[name] == invoice[name]
    assert call("GET", f"/invoices/{invoice['id']}").json["number"] == "INV-000001"
    (payment,) = call("GET", "/payments").json
    assert (payment["status"], payment["card"]) == ("succeeded", "Visa ending in 4242")
    (subscription,) = call("GET", "/subscriptions").json
    assert (subscription["plan"], subscription["next_total"]["amount"]) == ("pro", 7900)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"plan": "nothing"}, 404),
        ({"plan": "pro", "currency": "EUR"}, 422),
        ({"plan": "pro", "currency": "usd"}, 422),
        ({"plan": "pro", "period": "weekly"}, 422),
        ({"plan": "pro", "quantity": 2}, 422),
        ({"plan": "toy-alone", "quantity": -1}, 422),
        ({"plan": "toy-alone", "quantity": 1.5}, 422),
        ({"plan": "p" * 500}, 422),
        ({"plan": "pro", "amount": 1}, 422),
    ],
)
def test_bad_orders_are_problem_documents(call: Any, body: dict[str, Any], status: int) -> None:
    answer = call("POST", "/preview", json=body)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


def test_a_viewer_reads_prices_but_no_bills(call: Any) -> None:
    assert call("GET", "/plans", role=Role.VIEWER).status_code == 200
    assert call("GET", "/invoices", role=Role.VIEWER).status_code == 403
    assert call("POST", "/preview", role=Role.VIEWER, json={"plan": "pro"}).status_code == 403
