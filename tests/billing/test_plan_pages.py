"""The pages and the API of what one has bought: picker, preview, pause, cancel, coupons, the catalogue's desk."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from chom_core.billing.models import Invoice, Subscription
from chom_core.billing.service.offers import catalogue, coupons
from chom_core.database import PLATFORM_ID, transaction
from chom_core.identity import service as people
from chom_core.identity.service import create_api_key
from chom_core.values import SYSTEM, BillingPeriod, Money, Role
from chom_core.work import run_all
from tests.billing import plans
from tests.billing.shop import books_are_right
from tests.billing.test_api import call
from tests.billing.test_pages import app, hidden, mara, pay
from tests.identity.conftest import Browser, person

__all__ = ["app", "call", "mara"]


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a page's first confirmation form."""
    names = "kind|plan|period|item|quantity|at|now|expected|attempt|method"
    return dict(re.findall(rf'name="({names})" value="([^"]*)"', page))


def bought(tenant: UUID, code: str = "starter") -> UUID:
    plans.buy(tenant, code)
    return plans.of(tenant).id


def test_the_prices_say_what_comes_past_that(app: Flask) -> None:
    page = Browser(app).get("/prices").text
    assert "25 sites; past that: $4.00/site" in page


def test_from_the_picker_over_the_preview_to_another_plan(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    mine = bought(tenant)
    page = browser.get(f"/billing/subscriptions/{mine}/plan?period=annual").text
    assert "You save $142.20" in page
    assert "Your plan" not in page
    assert "Your plan" in browser.get(f"/billing/subscriptions/{mine}/plan").text
    look = f"/billing/subscriptions/{mine}/change/pro?period=monthly"
    preview = browser.get(look).text
    assert "Unused time of Starter" in preview
    assert "Pay $" in preview
    sent = browser.post(f"/billing/subscriptions/{mine}/change", fields(preview), page=look)
    assert (sent.status_code, sent.headers["Location"]) == (303, f"/billing/subscriptions/{mine}")
    assert "It is changed." in browser.get(f"/billing/subscriptions/{mine}").text
    assert plans.of(tenant).items[0].plan_code == "pro"
    books_are_right()


def test_a_tampered_amount_charges_nothing(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    mine = bought(tenant)
    look = f"/billing/subscriptions/{mine}/change/pro?period=monthly"
    preview = browser.get(look).text
    for expected in ("1", "-5", "1.5", "9" * 40, "nan"):
        form = {**fields(preview), "expected": expected}
        refused = browser.post(f"/billing/subscriptions/{mine}/change", form, page=look)
        assert refused.status_code == 409
        assert "Nothing was charged" in refused.text
    assert plans.of(tenant).items[0].plan_code == "starter"


def test_a_downgrade_is_set_and_taken_back(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    mine = bought(tenant, "pro")
    look = f"/billing/subscriptions/{mine}/change/starter?period=monthly"
    preview = browser.get(look).text
    assert "$29.00" in preview
    assert (
        browser.post(f"/billing/subscriptions/{mine}/change", fields(preview), page=look).status_code == 303
    )
    page = browser.get(f"/billing/subscriptions/{mine}").text
    assert "Plan starter" in page
    back = re.search(r'action="(/billing/changes/[^"]+/cancel)"', page)
    assert back
    assert browser.post(back[1], page=f"/billing/subscriptions/{mine}").status_code == 303
    assert "Take it back" not in browser.get(f"/billing/subscriptions/{mine}").text


def test_pause_resume_and_cancel_now_with_a_reason(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    mine = bought(tenant)
    here = f"/billing/subscriptions/{mine}"
    assert browser.post(f"{here}/pause", {"now": "1"}, page=here).status_code == 303
    assert "Paused since" in browser.get(here).text
    assert "nothing while it is paused" in browser.get("/billing").text
    assert browser.post(f"{here}/resume", page=here).status_code == 303
    assert plans.of(tenant).status == "active"
    gone = browser.post(f"{here}/cancel", {"when": "now", "reason": "Too dear"}, page=here)
    assert gone.status_code == 303
    assert "is account credit now" in browser.get("/billing").text
    with transaction(tenant) as unit:
        assert unit.scalars(select(Subscription.cancel_reason)).one() == "Too dear"
    books_are_right()


def test_an_add_on_is_looked_at_and_bought(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    plans.plan("seats", 1000, shape=catalogue.PlanShape.ADDON)
    mine = bought(tenant, "pro")
    here = f"/billing/subscriptions/{mine}"
    assert f"{here}/add/seats" in browser.get(here).text
    preview = browser.get(f"{here}/add/seats").text
    assert "$10.00" in preview
    assert browser.post(f"{here}/change", fields(preview), page=f"{here}/add/seats").status_code == 303
    page = browser.get(here).text
    item = re.search(rf'action="{here}/items/([0-9a-f-]+)"', page)
    assert item
    assert "3 × Seats" in browser.get(f"{here}/items/{item[1]}?quantity=3").text


def test_a_code_at_the_checkout(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    with transaction(PLATFORM_ID):
        made = coupons.make("Spring", percent=plans.Decimal(50))
        coupons.add_code(made.id, "spring-50")
    wrong = browser.get("/checkout/pro?promotion_code=nothing").text
    assert "There is no such code" in wrong
    assert "Pay $79.00" in wrong
    page = browser.get("/checkout/pro?promotion_code=Spring-50").text
    assert "Pay $39.50" in page
    assert "−$39.50" in page or "-$39.50" in page
    form = {"name": "N", "email": "m@example.com", "country": "us", "test_card": "4242424242424242"}
    sent = browser.post("/checkout/pro", {**form, **hidden(page), "promotion_code": "SPRING-50"})
    assert sent.status_code == 303
    with transaction(tenant) as here:
        assert here.scalars(select(Invoice.total).where(Invoice.number.is_not(None))).one() == 3950


def test_a_trial_says_when_it_is_charged(mara: tuple[Browser, UUID]) -> None:
    browser, _ = mara
    plans.plan("try", 1500, trial_days=14)
    page = browser.get("/checkout/try").text
    assert "Start the free trial" in page
    assert "Free for 14 days" in page
    assert pay(browser, "try").status_code == 303
    assert "trial" in browser.get("/billing").text.lower()


def test_viewers_and_strangers_change_nothing(app: Flask, mara: tuple[Browser, UUID]) -> None:
    _, tenant = mara
    mine = bought(tenant)
    with transaction(tenant):
        people.add_member(person("vic@example.com"), Role.VIEWER)
    other = person("other@example.com")
    with transaction():
        people.create_organisation("Other", owner=other)
    for who, status in (("vic@example.com", 403), ("other@example.com", 404)):
        browser = Browser(app)
        browser.log_in(who)
        assert browser.get(f"/billing/subscriptions/{mine}").status_code == status
        for verb in ("change", "pause", "cancel", "resume"):
            sent = browser.post(f"/billing/subscriptions/{mine}/{verb}", {"plan": "pro"}, page="/home")
            assert sent.status_code == status


def test_staff_set_prices_and_make_coupons(app: Flask, mara: tuple[Browser, UUID]) -> None:
    _, tenant = mara
    bought(tenant, "pro")
    with transaction(PLATFORM_ID):
        people.add_member(person("dana@example.com"), Role.ADMIN)
        people.add_member(person("piotr@example.com"), Role.MEMBER)
    staff = Browser(app)
    staff.log_in("dana@example.com")
    assert "Pro" in staff.get("/staff/catalogue").text
    page = "/staff/catalogue/pro"
    price = {"period": "monthly", "currency": "USD", "amount": "89,00"}
    assert staff.post(f"{page}/prices", price, page=page).status_code == 303
    assert "$89.00" in staff.get(page).text
    assert staff.post(f"{page}/prices", {**price, "amount": "-1"}, page=page).status_code == 422
    assert staff.post(f"{page}/prices", {**price, "amount": "1.005"}, page=page).status_code == 422
    use = {"meter": "sites", "currency": "USD", "unit": "4.50", "included": "25"}
    assert staff.post(f"{page}/usage", use, page=page).status_code == 303
    assert staff.post(f"{page}/reprice", page=page).status_code == 303
    run_all(tenant)
    assert plans.of(tenant).reprice
    coupon = {"name": "Spring", "percent": "20", "duration": "repeating", "repeats": "3", "code": "spring"}
    assert staff.post("/staff/coupons", {**coupon, "repeats": ""}, page="/staff/coupons").status_code == 422
    assert staff.post("/staff/coupons", coupon, page="/staff/coupons").status_code == 303
    shown = staff.get("/staff/coupons").text
    assert "SPRING" in shown
    assert "20 % off, 3 invoices" in shown
    retire = re.search(r'action="(/staff/coupons/[^"]+/retire)"', shown)
    assert retire
    assert staff.post(retire[1], page="/staff/coupons").status_code == 303
    support = Browser(app)
    support.log_in("piotr@example.com")
    assert support.get(page).status_code == 200
    assert support.post(f"{page}/prices", price, page=page).status_code == 403
    with transaction(PLATFORM_ID):
        assert catalogue.price(catalogue.plan("pro"), "USD", BillingPeriod.MONTHLY) == Money(8900, "USD")


@pytest.fixture
def write(app: Flask, mara: tuple[Browser, UUID]) -> Any:
    with transaction(mara[1], SYSTEM):
        secret = create_api_key("test", role=Role.BILLING).secret

    def writing(method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {secret}"}
        return app.test_client().open(f"/api/v1/billing{path}", method=method, headers=headers, **options)

    return writing


def test_over_the_api_a_preview_is_what_is_charged(write: Any, mara: tuple[Browser, UUID]) -> None:
    one = f"/subscriptions/{bought(mara[1])}"
    shown = write("GET", one).json
    assert (shown["items"][0]["plan"], shown["status"], shown["changes"]) == ("starter", "active", [])
    seen = write("POST", f"{one}/preview", json={"plan": "pro"})
    assert seen.status_code == 200, seen.text
    total = seen.json["bill"]["total"]["amount"]
    body = {"plan": "pro", "at": seen.json["at"], "expected": total + 1}
    assert write("POST", f"{one}/change", json=body).status_code == 409
    done = write("POST", f"{one}/change", json={**body, "expected": total})
    assert (done.status_code, done.json["state"]) == (200, "done"), done.text
    later = write("POST", f"{one}/changes", json={"plan": "starter"})
    assert (later.status_code, later.json["at_period_end"]) == (201, True)
    assert write("DELETE", f"/changes/{later.json['id']}").json["status"] == "cancelled"
    assert [row["status"] for row in write("GET", f"{one}/changes").json] == ["cancelled", "done"]
    assert write("POST", f"{one}/billing-day", json={"day": 17}).json["billing_day"] == 17
    assert write("POST", f"{one}/pause", json={}).json["changes"][0]["kind"] == "pause"
    assert write("POST", f"{one}/cancel", json={"reason": "x"}).json["cancel_reason"] == "x"
    assert write("POST", f"{one}/keep").json["cancel_at"] is None
    books_are_right()


@pytest.mark.parametrize(
    ("verb", "body", "status"),
    [
        ("change", {"plan": "nothing"}, 404),
        ("change", {"plan": "starter"}, 409),
        ("change", {"plan": "pro", "expected": 1.5}, 422),
        ("change", {"plan": "pro", "expected": "NaN"}, 422),
        ("change", {"kind": "quantity", "quantity": 0}, 422),
        ("change", {"kind": "quantity", "quantity": 2}, 422),
        ("change", {"kind": "quantity", "quantity": 2.5}, 422),
        ("change", {"kind": "add", "plan": "pro"}, 422),
        ("change", {"kind": "remove", "item": "01a205e2-3a71-74ce-8fe9-663f7152f1d0"}, 422),
        ("change", {"plan": "p" * 100}, 422),
        ("change", {"plan": "pro", "amount": 1}, 422),
        ("changes", {"plan": "pro", "at": "9999-12-31T23:59:59Z"}, 422),
        ("changes", {"plan": "pro", "at": "2001-01-01T00:00:00Z"}, 422),
        ("changes", {"plan": "pro", "at": "2030-01-01"}, 422),
        ("cancel", {"when": "later"}, 422),
        ("cancel", {"on": "9999-12-31"}, 422),
        ("cancel", {"reason": "r" * 301}, 422),
        ("pause", {"resume_at": "2001-01-01T00:00:00Z"}, 422),
        ("billing-day", {"day": 32}, 422),
        ("billing-day", {"day": True}, 422),
        ("resume", None, 409),
    ],
)
def test_bad_changes_are_problem_documents_and_change_nothing(
    write: Any, mara: tuple[Browser, UUID], verb: str, body: dict[str, Any] | None, status: int
) -> None:
    one = f"/subscriptions/{bought(mara[1])}"
    before = write("GET", one).json
    answer = write("POST", f"{one}/{verb}", **({"json": body} if body is not None else {}))
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    assert write("GET", one).json == before
    foreign = "/subscriptions/01a205e2-3a71-74ce-8fe9-663f7152f1d0"
    assert write("GET", foreign).status_code == 404
