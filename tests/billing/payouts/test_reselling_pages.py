"""The pages and the API of a reseller's settlement: staff agree the terms, the reseller reads its months."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from chom_core.billing.reads import settlement as reads
from chom_core.billing.service.partners import monthly
from chom_core.database import transaction
from chom_core.identity import service as people
from chom_core.identity.service import create_api_key
from chom_core.values import SYSTEM, Role
from tests.billing.payouts.test_wholesale import END, brightside, customers, invoice, settle, stand_at, usd
from tests.billing.shop import books_are_right
from tests.billing.test_credit_pages import dana
from tests.billing.test_pages import app, mara
from tests.identity.conftest import Browser, person

__all__ = ["app", "brightside", "dana", "mara"]

TERMS = {
    "mode": "wholesale", "base": "249.00", "seat": "15.00", "storage_gb": "10", "storage_price": "0.10",
    "traffic_gb": "0", "traffic_price": "0", "share_percent": "20",
}  # fmt: skip


@pytest.fixture
def piet(app: Flask, brightside: UUID) -> Browser:
    """The reseller's own bookkeeper."""
    with transaction(brightside, SYSTEM):
        people.add_member(person("piet@example.com"), Role.BILLING)
    reader = Browser(app)
    reader.log_in("piet@example.com")
    return reader


def agree(dana: Browser, of: UUID, **changes: str) -> Any:
    return dana.post(f"/staff/organisations/{of}/settlement", TERMS | changes)


def test_staff_agree_and_the_reseller_reads_its_month(dana: Browser, piet: Browser, brightside: UUID) -> None:
    assert "Nothing is agreed yet" in piet.get("/billing/reselling").text
    assert agree(dana, brightside).status_code == 303
    for customer, price in zip(customers(brightside, 2), ("39.00", "99.00"), strict=True):
        invoice(customer, usd(price))
    running = piet.get("/billing/reselling").text
    assert "$279.00" in running and "No month is settled yet" in running
    stand_at(brightside, END)
    settle(brightside)
    with transaction(brightside):
        (month,) = reads.month_statements()
    assert (month.retail, month.wholesale, month.margin) == (usd("138.00"), usd("279.00"), usd("-141.00"))
    assert f"/billing/reselling/{month.id}" in piet.get("/billing/reselling").text
    page = piet.get(f"/billing/reselling/{month.id}").text
    assert "Customer0" in page and "$99.00" in page
    assert f"/billing/invoices/{month.invoice_id}" in page
    sheet = piet.get(f"/billing/reselling/{month.id}?format=csv")
    assert (sheet.mimetype, sheet.text.count("\r\n")) == ("text/csv", 3)
    assert "$279.00" in dana.get(f"/staff/organisations/{brightside}/settlement").text
    books_are_right()


def test_after_the_first_invoice_only_prices_change(dana: Browser, brightside: UUID) -> None:
    agree(dana, brightside)
    invoice(customers(brightside, 1)[0], usd("39.00"))
    refused = agree(dana, brightside, mode="share")
    assert refused.status_code == 422
    assert "The settlement is fixed as wholesale in USD" in refused.text
    assert agree(dana, brightside, seat="14.00", storage_price="0").status_code == 303
    with transaction(brightside):
        now = reads.settlement()
    assert now is not None and (now.mode, now.seat, now.pool) == ("wholesale", usd("14.00"), ())


def test_a_share_shows_what_was_earned(dana: Browser, piet: Browser, brightside: UUID) -> None:
    agree(dana, brightside, mode="share", base="0", seat="0")
    invoice(customers(brightside, 1)[0], usd("100.00"))
    settle(brightside)
    page = piet.get("/billing/reselling").text
    assert "$20.00" in page and "Earned in all" in page
    assert "By hand" not in page
    with transaction(brightside):
        monthly.pay_out()
    assert "By hand" in piet.get("/billing/reselling").text
    assert "By hand" in dana.get(f"/staff/organisations/{brightside}/settlement").text


@pytest.mark.parametrize(
    "wrong",
    [{"mode": "barter"}, {"seat": "-1"}, {"base": "NaN"}, {"base": "1e40"}, {"storage_price": "NaN"},
     {"storage_gb": "-1"}, {"share_percent": "101"}, {"traffic_price": "Infinity"}],
)  # fmt: skip
def test_no_terms_are_refused_in_place_and_nothing_is_kept(
    dana: Browser, brightside: UUID, wrong: dict[str, str]
) -> None:
    assert agree(dana, brightside, **wrong).status_code == 422
    with transaction(brightside):
        assert reads.settlement() is None


def test_customers_have_no_such_page_and_support_reads(
    dana: Browser, mara: tuple[Browser, UUID], brightside: UUID
) -> None:
    browser, tenant = mara
    assert browser.get("/billing/reselling").status_code == 404
    assert "/billing/reselling" not in browser.get("/billing").text
    assert browser.get(f"/staff/organisations/{brightside}/settlement").status_code in (403, 404)
    assert dana.get(f"/staff/organisations/{tenant}/settlement").status_code == 404


def test_the_menu_of_a_reseller_has_it(piet: Browser) -> None:
    assert 'href="/billing/reselling"' in piet.get("/billing").text


def test_months_over_the_api(app: Flask, dana: Browser, brightside: UUID) -> None:
    with transaction(brightside, SYSTEM):
        secret = create_api_key("test", role=Role.BILLING).secret

    def get(path: str) -> Any:
        headers = {"Authorization": f"Bearer {secret}"}
        return app.test_client().get(f"/api/v1/billing/settlement{path}", headers=headers)

    assert get("").status_code == 404
    agree(dana, brightside)
    customers(brightside, 1)
    assert get("").json["before_use"] == {"amount": 26_400, "currency": "USD"}
    stand_at(brightside, END)
    settle(brightside)
    (month,) = get("/months").json
    assert (month["seats"], month["wholesale"]["amount"]) == (1, 26_400)
    assert get(f"/months/{month['id']}").json["customers"][0]["used"] == {"storage_gb": "0"}
    assert get(f"/months/{brightside}").status_code == 404
