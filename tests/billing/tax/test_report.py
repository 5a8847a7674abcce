"""The tax report: every document once, at its rate and in its days, and the ledger says the same, whatever was done."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import update

from chom_core.billing.models import Seller
from chom_core.billing.reads import tax_reports, taxed
from chom_core.billing.service.invoicing import credit_notes, sellers, voiding, writing_off
from chom_core.database import PLATFORM_ID, Tenant, transaction
from chom_core.identity.service import create_api_key
from chom_core.values import SYSTEM, Role
from chom_core.values.errors import ChomError, Invalid
from chom_core.values.money import Money
from chom_core.values.period import Period
from tests.billing import till
from tests.billing.payouts.conftest import agency
from tests.billing.shop import books_are_right
from tests.billing.test_credit_pages import dana
from tests.billing.test_pages import app, mara
from tests.conftest import Database, make_tenant
from tests.identity.conftest import Browser

__all__ = ["app", "dana", "mara"]

Q3 = date(2026, 7, 1), date(2026, 9, 30)


def on(tenant: UUID, instant: str) -> None:
    with transaction() as here:
        row = here.get_one(Tenant, tenant)
        row.clock_at, row.generation = datetime.fromisoformat(instant).replace(tzinfo=UTC), row.generation + 1


def buyer(name: str, parent: UUID = PLATFORM_ID, **details: str) -> UUID:
    made = make_tenant(name, parent=parent)
    on(made, "2026-08-10T12:00:00")
    with transaction(made):
        sellers.update_profile({"name": name, **details})
    return made


def report(seller: UUID = PLATFORM_ID, days: tuple[date, date] = Q3) -> taxed.TaxReport:
    with transaction(seller):
        span = tax_reports.span_of(*days)
        found = tax_reports.collect(span)
        return taxed.report(span, found.documents, found.ledger)


def told(found: taxed.TaxReport) -> list[tuple[str, str, int, int, int]]:
    return [
        (one.country, f"{one.rate:f}", one.net.amount, one.tax.amount, one.documents) for one in found.lines
    ]


@pytest.fixture
def irish(shop: Database) -> None:
    with transaction(PLATFORM_ID) as here:
        here.execute(update(Seller).values(country="IE", tax_id="IE6433435F"))


def test_by_place_and_rate_and_what_was_taken_back_is_off(irish: None) -> None:
    german, french = buyer("Bäcker", country="DE"), buyer("Boulanger", country="FR")
    kept = till.invoice(german, 10_000, tax="19")
    noted = till.invoice(german, 10_000, tax="19")
    gone = till.invoice(french, 5_000, tax="20")
    till.invoice(french, 3_000, tax="20")
    till.pay(german, kept)
    with transaction(german):
        credit_notes.issue(noted, {1: Money(2_500, "USD")}, "due", reason="r", key="k")
    with transaction(french):
        voiding.void(gone, settle="credit")
    found = report()
    assert told(found) == [("DE", "19", 17_500, 3_325, 3), ("FR", "20", 3_000, 600, 3)]
    assert found.proven
    assert found.tax == {"USD": Money(3_925, "USD")}
    books_are_right()


def test_a_document_counts_on_its_own_day_and_a_filed_quarter_stays(irish: None) -> None:
    german = buyer("Bäcker", country="DE")
    bill = till.invoice(german, 10_000, tax="19")
    filed = told(report())
    on(german, "2026-10-01T00:00:01")
    with transaction(german):
        voiding.void(bill, settle="credit")
    assert told(report()) == filed == [("DE", "19", 10_000, 1_900, 1)]
    after = report(days=(date(2026, 10, 1), date(2026, 10, 1)))
    assert told(after) == [("DE", "19", -10_000, -1_900, 1)]
    assert report().proven and after.proven


def test_the_day_is_the_sellers(irish: None) -> None:
    german = buyer("Bäcker", country="DE")
    on(german, "2026-06-30T23:30:00")
    till.invoice(german, 10_000, tax="19")
    assert report().lines == ()
    with transaction() as here:
        here.get_one(Tenant, PLATFORM_ID).zone = "Europe/Dublin"
    assert len(report().lines) == 1


def test_several_rates_of_one_document_are_lines_of_their_own(irish: None) -> None:
    german = buyer("Bäcker", country="DE")
    with transaction(german):
        sellers.lock_profile()
        made = till.drafted(10_000, 2_000, tax="19")
        made.snapshot = {
            "tax": {
                "rates": [
                    {"rate": "7", "base": 2_000, "tax": 140},
                    {"rate": "19", "base": 10_000, "tax": 1_900},
                ]
            }
        }
        made.tax, made.total = 2_040, 14_040
        made.lines[1].tax = 140
        bill = till.finalised(made)
    with transaction(german):
        credit_notes.issue(bill, {2: Money(1_000, "USD")}, "due", reason="r", key="k")
    assert told(report()) == [("DE", "7", 1_000, 70, 2), ("DE", "19", 10_000, 1_900, 1)]
    assert report().proven


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_done_documents_and_ledger_agree_in_any_days(irish: None, seed: int) -> None:
    dice = random.Random(seed)
    people = [
        (buyer("Bäcker", country="DE"), "19"),
        (buyer("Pub", country="IE"), "23"),
        (buyer("Diner", country="US"), "0"),
    ]
    start, bills = datetime(2026, 7, 1, 8, tzinfo=UTC), []
    for step in range(24):
        who, rate = dice.choice(people)
        on(who, (start + timedelta(days=step * 4, minutes=dice.randrange(600))).isoformat())
        act = dice.choice(("sell", "sell", "pay", "note", "void", "write_off"))
        if act == "sell" or not bills:
            lines = [dice.randrange(1, 9_999) for _ in range(dice.randrange(1, 4))]
            bills.append((who, till.invoice(who, *lines, tax=rate)))
            continue
        owner, bill = dice.choice(bills)
        on(owner, (start + timedelta(days=step * 4, minutes=700)).isoformat())
        try:
            if act == "pay":
                till.pay(owner, bill)
                continue
            with transaction(owner):
                if act == "note":
                    credit_notes.issue(
                        bill, {1: Money(dice.randrange(1, 500), "USD")}, "credit", reason="r", key=f"{step}"
                    )
                elif act == "void":
                    voiding.void(bill, settle="credit")
                else:
                    writing_off.write_off(bill, "lost")
        except ChomError:
            pass
    assert report().proven
    for _ in range(6):
        first = date(2026, 7, 1) + timedelta(days=dice.randrange(90))
        assert report(days=(first, first + timedelta(days=dice.randrange(60)))).proven
    books_are_right()


def test_a_reseller_reports_its_own_customers_alone(irish: None) -> None:
    brightside = agency("wholesale")
    other = agency("wholesale")
    till.invoice(buyer("Bakery", brightside, country="GB"), 1_000, tax="20")
    till.invoice(buyer("Deli", other, country="GB"), 7_000, tax="20")
    till.invoice(buyer("Pub", country="IE"), 500, tax="23")
    assert told(report(brightside)) == [("GB", "20", 1_000, 200, 1)]
    assert told(report()) == [("IE", "23", 500, 115, 1)]
    assert report(brightside).proven and report(other).proven


def test_a_span_is_of_named_days_and_not_for_ever(shop: Database) -> None:
    with transaction(PLATFORM_ID):
        turned, long = (date(2026, 2, 1), date(2026, 1, 1)), (date(2020, 1, 1), date(2026, 1, 1))
        for days in (turned, long, (date(2026, 1, 1), None), (date(9999, 1, 1), date(9999, 12, 31))):
            with pytest.raises(Invalid):
                tax_reports.span_of(*days)
        assert tax_reports.quarter(date(2026, 1, 31), -1) == (date(2025, 10, 1), date(2025, 12, 31))
        one = tax_reports.span_of(date(2026, 3, 1), date(2026, 3, 1))
    assert one == Period(
        datetime.fromisoformat("2026-03-01T00:00+00:00"), datetime.fromisoformat("2026-03-02T00:00+00:00")
    )


def test_staff_read_it_and_take_it_along(dana: Browser, irish: None) -> None:
    till.invoice(buyer("=Bäcker", country="DE", vat_id=""), 10_000, tax="19")
    page = dana.get("/staff/tax/report?from=2026-07-01&to=2026-09-30").text
    assert "Proven by the ledger" in page and "$19.00" in page
    sheet = dana.get("/staff/tax/report?from=2026-07-01&to=2026-09-30&format=csv")
    assert sheet.mimetype == "text/csv"
    rows = sheet.text.strip().splitlines()
    assert len(rows) == 2 and rows[1].endswith("USD,100.00,19.00") and "'=Bäcker" in rows[1]
    wrong = dana.get("/staff/tax/report?from=2026-09-30&to=2026-07-01").text
    assert "From when until when?" in wrong


def test_a_program_reads_it_too(app: Flask, irish: None) -> None:
    till.invoice(buyer("Bäcker", country="DE"), 10_000, tax="19")
    with transaction(PLATFORM_ID, SYSTEM):
        key = create_api_key("t", role=Role.BILLING).secret
    client, headers = app.test_client(), {"Authorization": f"Bearer {key}"}
    at = "/api/v1/billing/selling/tax-report?first=2026-07-01&last="
    found = client.get(f"{at}2026-09-30", headers=headers).json
    assert found["proven"] is True
    (line,) = found["lines"]
    assert (line["country"], line["rate"], line["net"]["amount"], line["tax"]["amount"]) == (
        "DE",
        "19",
        10_000,
        1_900,
    )
    assert client.get(f"{at}2026-01-01", headers=headers).status_code == 422
    with transaction(buyer("Baker", country="DE"), SYSTEM):
        key = create_api_key("t", role=Role.BILLING).secret
    assert client.get(f"{at}2026-09-30", headers={"Authorization": f"Bearer {key}"}).status_code == 404


def test_customers_have_no_such_page(mara: tuple[Browser, UUID]) -> None:
    browser, _tenant = mara
    assert browser.get("/staff/tax/report").status_code in (403, 404)
    assert browser.get("/billing/reselling/tax-report").status_code == 404
