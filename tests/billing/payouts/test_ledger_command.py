"""`chom ledger` on a database with books in it."""

from __future__ import annotations

import csv
import io
from uuid import UUID

from click.testing import CliRunner
from sqlalchemy import text

from chom_core.billing.service.partners import payouts
from chom_core.cli import main
from chom_core.database import transaction
from chom_core.values import Money
from tests.billing.shop import buy
from tests.conftest import Database


def run(*words: str) -> tuple[int, str, str]:
    made = CliRunner().invoke(main, ["ledger", *words])
    return made.exit_code, made.stdout, made.stderr


def test_check_says_what_it_has_proven(shop: Database, buyer: UUID) -> None:
    buy(buyer)
    code, said, _errors = run("check", "--database", shop.app)
    assert code == 0
    assert "1 invoices, 1 payments" in said


def test_check_names_each_fault(shop: Database, buyer: UUID) -> None:
    buy(buyer)
    with transaction(buyer) as here:
        here.execute(text("update core.ledger_balance set balance = balance + 1"))
    code, said, errors = run("check", "--database", shop.app)
    assert code == 1
    assert f"{errors.count('has the balance')} faults" in said
    assert "faults" in said and "0 faults" not in said


def test_export_balances_and_is_safe_in_a_spreadsheet(shop: Database, buyer: UUID) -> None:
    buy(buyer)
    with transaction(buyer):
        payouts.earn("=HYPERLINK(1)", "affiliate", Money.of("5.00", "USD"), "k", "s")
    code, said, _errors = run("export", "--database", shop.app)
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(said)))
    assert sum(float(row["debit"] or 0) - float(row["credit"] or 0) for row in rows) == 0
    assert {"receivable", "cash", "revenue", "commission", "affiliate_payable"} <= {
        row["account"] for row in rows
    }
    assert "'=HYPERLINK(1)" in {row["party"] for row in rows}
    assert run("export", "--database", shop.app, "--until", "2020-01-01")[1].count("\n") == 1
