"""The pages of billing, as a browser without script uses them: from the price to the paid invoice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from chom_sandbox_gateway import book
from flask import Flask
from sqlalchemy import select

from chom_core import config, identity
from chom_core.app import create_app
from chom_core.billing.models import Invoice, Subscription
from chom_core.database import PLATFORM_ID, transaction
from chom_core.identity import service as people
from chom_core.plugin_host import registry
from chom_core.values import Role
from chom_core.work import run_all
from tests.billing.shop import BANK, DECLINED, GOOD, books_are_right
from tests.conftest import KEY, Database
from tests.identity.conftest import CHEAP, PASSWORD, Browser, person

DETAILS = {"name": "Northlight Ltd", "email": "mara@example.com", "country": "us"}
_app: Flask | None = None


@pytest.fixture
def app(shop: Database) -> Iterator[Flask]:
    global _app
    settings = config.Settings(shop.app, "redis://127.0.0.1:9/0", (KEY,), public_url="http://localhost")
    if _app is None or "sandbox_gateway" not in _app.blueprints:
        assert registry.loaded
        _app = create_app(settings)
    config.use(settings)
    identity.configure(CHEAP)
    yield _app
    identity.configure(None)


@pytest.fixture
def mara(app: Flask) -> tuple[Browser, UUID]:
    """An owner, logged in, and her organisation."""
    owner = person("mara@example.com")
    with transaction():
        tenant = people.create_organisation("Northlight", owner=owner).id
    browser = Browser(app)
    assert browser.log_in("mara@example.com", PASSWORD).status_code == 303
    return browser, tenant


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the checkout as the page was sent."""
    return {
        name: found[1]
        for name in ("checkout", "attempt", "expected", "period")
        if (found := re.search(rf'name="{name}" value="([^"]*)"', page))
    }


def pay(browser: Browser, plan: str, card: str = GOOD, period: str = "monthly", **more: str):  # type: ignore[no-untyped-def]
    page = browser.get(f"/checkout/{plan}?period={period}")
    assert page.status_code == 200, page.text
    return browser.post(f"/checkout/{plan}", {**DETAILS, **hidden(page.text), "test_card": card, **more})


def test_prices_say_what_a_year_saves(app: Flask) -> None:
    page = Browser(app).get("/prices").text
    assert "$79.00" in page
    assert "or $805.80/year, save $142.20" in page
    assert "25 sites" in page
    yearly = Browser(app).get("/prices?period=annual").text
    assert "$805.80" in yearly
    assert "You save $142.20" in yearly


def test_a_visitor_is_led_to_sign_up_and_back(app: Flask) -> None:
    page = Browser(app).get("/checkout/pro?period=annual").text
    assert "/signup?next=/checkout/pro%3Fperiod%3Dannual" in page
    assert Browser(app).get("/checkout/nothing").status_code == 404
    assert Browser(app).post("/checkout/pro", page="/prices").status_code in (400, 401, 403)


def test_from_the_price_to_the_paid_invoice(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    assert "Nothing bought yet" in browser.get("/billing").text
    page = browser.get("/checkout/pro").text
    assert "Pay $79.00" in page
    assert "4242 4242 4242 4242" in page
    done = pay(browser, "pro")
    assert (done.status_code, done.headers["Location"]) == (303, "/services/new")
    overview = browser.get("/billing").text
    assert "Your plan is active" in overview
    assert "0 of 25" in overview
    assert "Visa ending in 4242" in overview
    assert "INV-000001" in browser.get("/billing/invoices").text
    with transaction(tenant) as here:
        invoice = here.scalars(select(Invoice)).one()
    printed = browser.get(f"/billing/invoices/{invoice.id}").text
    for words in ("Lanternworks Ltd", "Northlight Ltd", "$79.00", "No tax is charged.", "INV-000001"):
        assert words in printed
    books_are_right()


def test_a_declined_card_says_so_in_place_and_the_next_card_pays(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    refused = pay(browser, "pro", DECLINED)
    assert refused.status_code == 402
    assert "The bank declined the card. Nothing was charged. Try another card" in refused.text
    again = {**DETAILS, **hidden(refused.text), "method": "", "test_card": GOOD}
    assert browser.post("/checkout/pro", again).status_code == 303
    with transaction(tenant) as here:
        assert "active" in here.scalars(select(Subscription.status)).all()
    assert [charge.status for charge in book.charges()] == ["taken", "declined"]


def test_missing_details_and_a_real_card_are_refused_in_place(mara: tuple[Browser, UUID]) -> None:
    browser, _ = mara
    page = pay(browser, "pro", country="Germany")
    assert page.status_code == 422
    assert "Two letters" in page.text
    real = pay(browser, "pro", card_number="4111 1111 1111 1111")
    assert real.status_code == 422
    assert "do not enter a real card" in real.text
    assert "4111" not in real.text
    assert book.charges() == []


def test_through_the_bank_and_back(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    sent = pay(browser, "pro", BANK)
    bank = sent.headers["Location"]
    assert "Approve $79.00" in browser.get(bank).text
    back = browser.post(bank, {"answer": "approve"}, page=bank).headers["Location"]
    assert browser.get(back).headers["Location"] == "/services/new"
    with transaction(tenant) as here:
        assert here.scalars(select(Subscription.status)).one() == "active"
    books_are_right()


def test_refused_at_the_bank_leads_back_to_the_checkout(mara: tuple[Browser, UUID]) -> None:
    browser, _ = mara
    bank = pay(browser, "pro", BANK).headers["Location"]
    back = browser.post(bank, {"answer": "refuse"}, page=bank).headers["Location"]
    checkout = browser.get(back).headers["Location"]
    assert checkout == "/checkout/pro?period=monthly"
    assert "was not approved at the bank. Nothing was charged." in browser.get(checkout).text


def test_a_single_site_is_held_built_and_charged(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    sent = pay(browser, "toy-alone", service_name="corner")
    assert sent.headers["Location"].startswith("/services/")
    assert [charge.status for charge in book.charges()] == ["held"]
    run_all(tenant)
    assert [charge.status for charge in book.charges()] == ["taken"]
    wrong = pay(browser, "toy-alone", service_name="Not A Name!")
    assert wrong.status_code == 422
    assert "f-service_name" in wrong.text


def test_cards_can_be_added_preferred_and_removed(mara: tuple[Browser, UUID]) -> None:
    browser, _ = mara
    for number in (GOOD, BANK):
        assert (
            browser.post("/billing/methods", {"test_card": number}, page="/billing/methods").status_code
            == 303
        )
    page = browser.get("/billing/methods").text
    other = re.search(r"/billing/methods/([0-9a-f-]+)/default", page)
    assert other
    assert browser.post(f"/billing/methods/{other[1]}/default", page="/billing/methods").status_code == 303
    assert browser.post(f"/billing/methods/{other[1]}/remove", page="/billing/methods").status_code == 303
    page = browser.get("/billing/methods").text
    assert "•••• 4242" in page
    assert "•••• 3184" not in page
    assert "Renewals are charged to it" in page


def test_other_roles_and_strangers_see_no_bill(app: Flask, mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    pay(browser, "pro")
    with transaction(tenant) as here:
        invoice_id = here.scalars(select(Invoice.id)).one()
        people.add_member(person("vic@example.com"), Role.VIEWER)
    viewer = Browser(app)
    viewer.log_in("vic@example.com")
    assert viewer.get("/billing").status_code == 403
    assert viewer.get("/checkout/pro").status_code == 403
    other = person("other@example.com")
    with transaction():
        people.create_organisation("Other", owner=other)
    stranger = Browser(app)
    stranger.log_in("other@example.com")
    assert stranger.get(f"/billing/invoices/{invoice_id}").status_code == 404
    assert stranger.get("/staff/ledger").status_code == 403


def test_staff_see_every_invoice_payment_and_right_books(app: Flask, mara: tuple[Browser, UUID]) -> None:
    pay(mara[0], "pro")
    with transaction(PLATFORM_ID):
        people.add_member(person("dana@example.com"), Role.ADMIN)
    staff = Browser(app)
    staff.log_in("dana@example.com")
    assert "INV-000001" in staff.get("/staff/invoices").text
    assert "Visa ending in 4242" in staff.get("/staff/payments").text
    assert "receivable" in staff.get("/staff/ledger").text
    assert "$79.00" in staff.get("/sandbox/charges").text
    assert "INV-000001" in staff.get("/staff/invoices?status=paid&q=inv-0000").text
    assert "INV-000001" not in staff.get("/staff/invoices?status=void").text
    assert "Nothing matches these filters" in staff.get("/staff/payments?q=nobody+of+this+name").text
    sheet = staff.get("/staff/payments?export=csv")
    assert sheet.mimetype == "text/csv" and "Northlight" in sheet.text and "Visa ending in 4242" in sheet.text
