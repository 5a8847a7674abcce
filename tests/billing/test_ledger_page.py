"""Staff's ledger: every transaction found and taken along, and a check that tells when the books are wrong."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from sqlalchemy import create_engine, select, text

from chom_core.billing.models import BooksCheck
from chom_core.billing.service import books
from chom_core.database import transaction
from chom_core.work import JobRow, enqueue, run_all
from tests.billing import till
from tests.billing.test_credit_pages import dana
from tests.billing.test_pages import app
from tests.conftest import Database, make_tenant
from tests.identity.conftest import Browser

__all__ = ["app", "dana"]


def check() -> JobRow:
    with transaction():
        enqueue(books.CHECK)
    run_all(reraise=False)
    with transaction() as here:
        return here.scalars(
            select(JobRow).where(JobRow.kind == books.CHECK).order_by(JobRow.id.desc())
        ).first()  # type: ignore[return-value]


def test_a_check_is_asked_for_and_shown(dana: Browser) -> None:
    assert "The books were not checked yet" in dana.get("/staff/ledger").text
    till.pay(tenant := make_tenant("Northlight"), till.invoice(tenant, 7900, tax="19"))
    assert dana.post("/staff/ledger/check", {}, page="/staff/ledger").status_code == 303
    assert dana.post("/staff/ledger/check", {}, page="/staff/ledger").status_code == 303
    run_all(reraise=True)
    page = dana.get("/staff/ledger").text
    assert "The books are right" in page and "the ledger holds" in page
    with transaction() as here:
        assert len(here.scalars(select(BooksCheck)).all()) <= 2, "a job for each minute at most"


def test_wrong_books_are_failed_work_and_say_what_is_wrong(dana: Browser, shop: Database) -> None:
    till.invoice(make_tenant("Northlight"), 7900)
    assert check().state == "done"
    root = create_engine(shop.root)
    with root.begin() as connection:
        connection.execute(text("update core.ledger_balance set balance = balance + 1"))
    root.dispose()
    job = check()
    assert job.state == "failed" and "faults in the books" in (job.last_error or "")
    page = dana.get("/staff/ledger").text
    assert "The books are not right" in page and "The books are right" not in page
    assert "faults in the books" in dana.get("/staff/").text, "Today says so, too"


@pytest.mark.parametrize(
    ("filters", "found", "gone"),
    [
        ("account=cash", "payment", "Bäcker GmbH</td>"),
        ("q=b%C3%A4cker", "Bäcker", "Northlight"),
        ("account=disputes", "Nothing matches these filters", "Northlight"),
    ],
)
def test_transactions_are_found(dana: Browser, filters: str, found: str, gone: str) -> None:
    till.pay(paid := make_tenant("Northlight"), till.invoice(paid, 7900))
    till.invoice(make_tenant("Bäcker GmbH"), 2900)
    page = dana.get(f"/staff/ledger?{filters}").text
    assert found in page
    assert gone not in page


def test_an_accountant_takes_all_of_it_along(dana: Browser) -> None:
    till.pay(paid := make_tenant("=Northlight"), till.invoice(paid, 7900, tax="19"))
    sheet = dana.get("/staff/ledger?export=csv")
    assert sheet.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
    debit, credit = (sum(Decimal(row[side] or 0) for row in rows) for side in ("Debit", "Credit"))
    assert debit == credit == Decimal("94.01") * 2
    assert {row["Organisation"] for row in rows} == {"'=Northlight"}
    assert {"receivable", "revenue", "tax_payable", "cash"} == {row["Account"] for row in rows}
