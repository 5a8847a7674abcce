"""What people see of an unpaid invoice, and what staff do about it; documents and details over page and API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import update

from chom_core import config, identity
from chom_core.app import create_app
from chom_core.billing.models import Seller
from chom_core.database import PLATFORM_ID, transaction
from chom_core.identity.models import Membership
from chom_core.identity.service import create_api_key
from chom_core.plugin_host import registry
from chom_core.values import Role
from chom_core.values.principal import SYSTEM
from chom_core.work import run_all, stand
from tests.billing.dunning.scene import START, Debtor
from tests.billing.shop import GOOD
from tests.conftest import KEY, Database
from tests.identity.conftest import CHEAP, PASSWORD, Browser, person

_app: Flask | None = None


@pytest.fixture
def app(house: None, shop: Database) -> Iterator[Flask]:
    global _app
    settings = config.Settings(shop.app, "redis://127.0.0.1:9/0", (KEY,), public_url="http://localhost")
    if _app is None:
        assert registry.loaded
        _app = create_app(settings)
    config.use(settings)
    identity.configure(CHEAP)
    yield _app
    identity.configure(None)


def browser(app: Flask, mail: str, tenant: UUID, role: str) -> Browser:
    who = person(mail)
    with transaction() as here:
        here.add(Membership(person_id=who, tenant_id=tenant, role=role))
    made = Browser(app)
    assert made.log_in(mail, PASSWORD).status_code == 303
    return made


@pytest.fixture
def late(app: Flask, buyer: UUID) -> Debtor:
    """Unpaid since a day."""
    stand(buyer, START)
    made = Debtor(buyer)
    made.buy()
    made.day(1)
    return made


def test_everybody_sees_it_coming_and_payers_get_the_way(app: Flask, late: Debtor) -> None:
    mara = browser(app, "mara@example.com", late.id, "owner")
    nils = browser(app, "nils@example.com", late.id, "viewer")
    stops = late.ladder().suspend_at
    words = f"services are suspended on {stops:%b} {stops.day}, {stops.year}"
    pay = f'href="/billing/invoices/{late.bill().id}"'
    assert words in mara.get("/billing").text
    assert pay in mara.get("/billing").text
    assert words in nils.get("/services").text
    assert pay not in nils.get("/services").text
    late.day(15)
    assert "Services are suspended: invoice INV-000002 is unpaid." in nils.get("/services").text
    late.pay(GOOD)
    assert "is unpaid" not in nils.get("/services").text


def test_staff_see_rungs_and_decide(app: Flask, late: Debtor) -> None:
    dana = browser(app, "dana@example.com", PLATFORM_ID, "owner")
    page = dana.get("/staff/unpaid").text
    assert "Asked 1 time" in page
    assert "INV-000002" in page
    at = f"/staff/organisations/{late.id}/unpaid/{late.ladder().id}"
    attempt = re.search(r'name="attempt" value="([^"]+)"', page)
    assert attempt
    for _ in range(2):
        assert dana.post(f"{at}/retry", {"attempt": attempt[1]}, page="/staff/unpaid").status_code == 303
    run_all(late.id)
    assert late.asked() == ["declined", "declined"]
    before = late.ladder().suspend_at
    assert dana.post(f"{at}/extend", {"days": "10", "reason": ""}, page="/staff/unpaid").status_code == 303
    assert late.ladder().suspend_at == before
    assert (
        dana.post(
            f"{at}/extend", {"days": "10", "reason": "Their bank moved"}, page="/staff/unpaid"
        ).status_code
        == 303
    )
    assert (late.ladder().suspend_at - before).days == 10
    assert "More time was given" in dana.get(at).text
    assert dana.post(f"{at}/waive", {"reason": "Our fault"}, page="/staff/unpaid").status_code == 303
    run_all(late.id)
    assert late.bill().status == "paid"
    assert "Everybody has paid" in dana.get("/staff/unpaid").text


def test_support_looks_and_customers_do_not(app: Flask, late: Debtor) -> None:
    piotr = browser(app, "piotr@example.com", PLATFORM_ID, "member")
    mara = browser(app, "mara@example.com", late.id, "owner")
    at = f"/staff/organisations/{late.id}/unpaid/{late.ladder().id}"
    assert piotr.get(at).status_code == 200
    assert piotr.post(f"{at}/waive", {"reason": "x"}, page=at).status_code in (403, 404)
    assert mara.get("/staff/unpaid").status_code in (403, 404)
    assert late.bill().status == "open"


def test_the_ladder_and_the_rates_have_forms(app: Flask, late: Debtor) -> None:
    dana = browser(app, "dana@example.com", PLATFORM_ID, "owner")
    assert "0, 3, 5, 7" in dana.get("/staff/unpaid/terms").text
    fields = {"retry_days": "0, 2", "contact_rung": "0", "warn_days": "1", "suspend_day": "4", "end_day": "9",
              "outcome": "cancel"}  # fmt: skip
    assert dana.post("/staff/unpaid/terms", {**fields, "end_day": "1"}).status_code == 422
    assert dana.post("/staff/unpaid/terms", fields).status_code == 303
    assert "0, 2" in dana.get("/staff/unpaid/terms").text
    with transaction(PLATFORM_ID) as here:
        here.execute(update(Seller).values(country="US"))
    assert dana.post("/staff/tax", {"country": "US", "region": "", "rate": "7"}).status_code == 422
    assert dana.post("/staff/tax", {"country": "US", "region": "CA", "rate": "7.25"}).status_code == 303
    assert "7.25 %" in dana.get("/staff/tax").text


def test_documents_and_details_of_the_own_organisation(app: Flask, late: Debtor) -> None:
    mara = browser(app, "mara@example.com", late.id, "owner")
    invoice = late.bill().id
    assert "Download PDF" in mara.get(f"/billing/invoices/{invoice}").text
    found = mara.http.get(f"/billing/invoices/{invoice}/pdf")
    assert found.mimetype == "application/pdf"
    assert found.data.startswith(b"%PDF-")
    assert "INV-000002.pdf" in found.headers["Content-Disposition"]
    details = {
        "name": "Müller",
        "email": "m@example.com",
        "address": "Gasse 1",
        "country": "DE",
        "vat_id": "DE1",
    }
    refused = mara.post("/billing/details", details)
    assert refused.status_code == 422
    assert "DE123456788" in refused.text
    assert mara.post("/billing/details", {**details, "vat_id": "DE 136695976"}).status_code == 303
    assert "DE136695976" in mara.get("/billing/details").text


def test_the_api_says_the_same(app: Flask, late: Debtor) -> None:
    with transaction(late.id, SYSTEM):
        secret = create_api_key("test", role=Role.BILLING).secret
    client, headers = app.test_client(), {"Authorization": f"Bearer {secret}"}
    found = client.get("/api/v1/billing/unpaid", headers=headers).get_json()
    assert [(one["number"], one["rung"], one["rungs"], one["due"]["amount"]) for one in found] == [
        ("INV-000002", 1, 4, 900)
    ]
    pdf = client.get(f"/api/v1/billing/invoices/{found[0]['invoice_id']}/pdf", headers=headers)
    assert pdf.data.startswith(b"%PDF-")
    wrong = client.put("/api/v1/billing/profile", headers=headers, json={"country": "DE", "vat_id": "DE1"})
    assert wrong.status_code == 422
    assert wrong.mimetype == "application/problem+json"
    right = client.put("/api/v1/billing/profile", headers=headers, json={"country": "de", "name": "Müller"})
    assert right.get_json()["country"] == "DE"
