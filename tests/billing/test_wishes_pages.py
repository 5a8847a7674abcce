"""How a customer wants to be billed; where staff let use be billed early, and give back days without service."""

from __future__ import annotations

from uuid import UUID

import pytest

from chom_core.billing.models import BillingProfile
from chom_core.database import transaction
from tests.billing import plans
from tests.billing.test_credit_pages import dana
from tests.billing.test_pages import app, mara
from tests.identity.conftest import Browser

__all__ = ["app", "dana", "mara"]


def test_one_bill_and_a_day_of_the_month(mara: tuple[Browser, UUID]) -> None:
    browser, tenant = mara
    at = "/billing/details"
    wrong = browser.post(f"{at}/wishes", {"billing_day": "32"}, page=at)
    assert wrong.status_code == 422
    assert (
        browser.post(f"{at}/wishes", {"consolidate": "true", "billing_day": "13"}, page=at).status_code == 303
    )
    assert 'value="13"' in browser.get(at).text
    with transaction(tenant) as here:
        kept = here.query(BillingProfile).one()
        assert (kept.consolidate, kept.billing_day) == (True, 13)
    plans.stand(tenant, "2024-02-01")
    plans.buy(tenant, "pro")
    assert plans.of(tenant).current_period_end == plans.at("2024-02-13")


def test_staff_let_use_be_billed_early(mara: tuple[Browser, UUID], dana: Browser) -> None:
    browser, tenant = mara
    page = "/staff/catalogue/pro"
    for bad in (
        {"limits": "abc"},
        {"limits": "-5"},
        {"limits": "", "every": "5"},
        {"limits": "1", "every": "0"},
    ):
        sent = dana.post(f"{page}/limits", {"currency": "USD", **bad}, page=page)
        assert sent.status_code == 422
    good = {"currency": "USD", "limits": "500 200", "every": "100,50"}
    assert dana.post(f"{page}/limits", good, page=page).status_code == 303
    assert 'value="200.00 500.00"' in dana.get(page).text
    plans.buy(tenant, "pro")
    assert "reaches $200.00, $500.00" in browser.get(f"/billing/subscriptions/{plans.of(tenant).id}").text
    assert dana.post(f"{page}/limits", {"currency": "USD", "limits": ""}, page=page).status_code == 303
    assert 'value="200.00 500.00"' not in dana.get(page).text


@pytest.mark.parametrize(("last", "cents"), [("2024-01-10", 2548), ("", 255)])
def test_staff_give_back_days_without_service(
    mara: tuple[Browser, UUID], dana: Browser, last: str, cents: int
) -> None:
    _browser, tenant = mara
    plans.stand(tenant, "2024-01-01")
    plans.buy(tenant, "pro")
    at = f"/staff/organisations/{tenant}/money/invoices/{plans.bills(tenant)[0].id}/note"
    form = {
        "idle_from": "2024-01-01", "idle_until": last, "settle": "credit", "reason": "Broken", "confirm": "true",
        "amount": "", "key": "01a20691-0400-7844-8bb6-397c3332e9ee",
    }  # fmt: skip
    for _ in range(2):
        assert dana.post(at, form, page=at).status_code == 303
    assert [note.total for note in plans.notes(tenant)] == [cents]
