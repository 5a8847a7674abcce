"""What a seller decides of itself: its details, rates and ladder; over pages and the API, and behind its fence."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from chom_core.audit.models import AuditEntry
from chom_core.billing.models import DunningPolicy, Invoice, Seller, TaxRate
from chom_core.billing.service.dunning import desk, rows
from chom_core.billing.service.invoicing import seller_checks, sellers, tax
from chom_core.billing.service.partners import terms
from chom_core.database import PLATFORM_ID, transaction
from chom_core.identity.service import create_api_key
from chom_core.values import SYSTEM, Conflict, Invalid, NotFound, Role
from chom_core.work import run_all
from tests.billing.payouts.test_reselling_pages import piet
from tests.billing.payouts.test_wholesale import START, brightside, customers, invoice, usd
from tests.billing.test_credit_pages import dana
from tests.billing.test_pages import app, mara
from tests.conftest import Database, make_tenant
from tests.identity.conftest import Browser

__all__ = ["app", "brightside", "dana", "mara", "piet"]

DETAILS = {
    "legal_name": "Brightside GmbH", "address": "Gasse 1\n10115 Berlin", "country": "de", "tax_id": "136695976",
    "number_prefix": "bri-", "note_prefix": "BRI-CN-", "numbering": "seller", "due_days": "14", "oss": "true",
}  # fmt: skip
LADDER: dict[str, Any] = {
    "retry_days": [0, 2], "contact_rung": 0, "warn_days": 1, "suspend_day": 4, "end_day": 9, "outcome": "cancel",
}  # fmt: skip
PAGES = ("seller", "tax", "terms", "unpaid")


def seller_of(organisation: UUID) -> Seller:
    with transaction(organisation):
        return sellers.seller()


def actions(organisation: UUID) -> list[str]:
    with transaction(organisation) as here:
        return list(here.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_a_reseller_sets_its_details_for_the_next_invoice_alone(piet: Browser, brightside: UUID) -> None:
    (customer,) = customers(brightside, 1)
    first = invoice(customer, usd("39.00"))
    assert "Brightside Ltd" in piet.get("/billing/reselling/seller").text
    assert piet.post("/billing/reselling/seller", DETAILS).status_code == 303
    second = invoice(customer, usd("39.00"))
    with transaction(customer) as here:
        old, new = (here.get_one(Invoice, one) for one in (first, second))
        assert (old.number, old.snapshot["seller"]["legal_name"]) == ("INV-000001", "Brightside Ltd")
        assert (new.number, new.snapshot["seller"]["legal_name"]) == ("BRI-000002", "Brightside GmbH")
        assert (new.due_at - new.finalised_at).days == 14  # type: ignore[operator]
    known = seller_of(brightside)
    assert (known.country, known.tax_id, known.oss) == ("DE", "DE136695976", True)
    assert seller_of(PLATFORM_ID).legal_name == "Lanternworks Ltd"
    with transaction(brightside) as here:
        entry = here.scalars(select(AuditEntry).where(AuditEntry.action == "seller.changed")).one()
    assert entry.before["legal_name"] == "Brightside Ltd" and entry.after["number_prefix"] == "BRI-"
    assert "note_prefix" in entry.after and "currency" not in entry.after


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"legal_name": " "}, "legal_name"),
        ({"country": "XX"}, "country"),
        ({"tax_id": "DE1"}, "tax_id"),
        ({"country": ""}, "country"),
        ({"address": ""}, "address"),
        ({"number_prefix": ""}, "number_prefix"),
        ({"number_prefix": "-"}, "number_prefix"),
        ({"number_prefix": "2027-"}, "number_prefix"),
        ({"number_prefix": "INV-1"}, "number_prefix"),
        ({"number_prefix": "IN V-"}, "number_prefix"),
        ({"number_prefix": "ÄÖ-"}, "number_prefix"),
        ({"number_prefix": "CN-", "note_prefix": "CN/"}, "note_prefix"),
        ({"number_prefix": "A-", "note_prefix": "A-001-"}, "note_prefix"),
        ({"note_prefix": "CN1"}, "note_prefix"),
        ({"numbering": "dice"}, "numbering"),
        ({"due_days": "-1"}, "due_days"),
        ({"due_days": "121"}, "due_days"),
        ({"due_days": "1.5"}, "due_days"),
    ],
)
def test_what_no_invoice_can_bear_is_refused_in_place(
    piet: Browser, brightside: UUID, wrong: dict[str, str], field: str
) -> None:
    page = piet.post("/billing/reselling/seller", DETAILS | wrong)
    assert page.status_code == 422
    assert f'id="f-{field.replace("_", "-")}-error"' in page.text or f'"#f-{field}"' in page.text
    assert seller_of(brightside).legal_name == "Brightside Ltd"


def test_staff_set_the_platforms_by_the_same_page(dana: Browser, brightside: UUID) -> None:
    assert "Lanternworks Ltd" in dana.get("/staff/seller").text
    assert dana.post("/staff/seller", DETAILS | {"number_prefix": "INV-1"}).status_code == 422
    assert dana.post("/staff/seller", DETAILS | {"legal_name": "Lanternworks AG"}).status_code == 303
    assert (seller_of(PLATFORM_ID).legal_name, seller_of(brightside).legal_name) == (
        "Lanternworks AG",
        "Brightside Ltd",
    )


def test_a_reseller_has_rates_and_a_ladder_of_its_own(piet: Browser, brightside: UUID) -> None:
    typed = {**LADDER, "retry_days": "0, 2"}
    assert piet.post("/billing/reselling/terms", {**typed, "end_day": "1"}).status_code == 422
    assert piet.post("/billing/reselling/terms", typed).status_code == 303
    assert "0, 2" in piet.get("/billing/reselling/terms").text
    rate = {"country": "US", "region": "CA", "rate": "7.25"}
    assert piet.post("/billing/reselling/tax", rate | {"region": ""}).status_code == 422
    assert piet.post("/billing/reselling/tax", rate).status_code == 303
    assert "7.25 %" in piet.get("/billing/reselling/tax").text
    (customer,) = customers(brightside, 1)
    with transaction(customer):
        assert rows.policy(brightside).retry_days == (0, 2)
        assert [one.rate for one in tax.rates(sellers.seller().id)] == [Decimal("7.25")]
    with transaction(PLATFORM_ID) as here:
        assert rows.policy(PLATFORM_ID).retry_days == (0, 3, 5, 7)
        assert here.scalars(select(TaxRate)).all() == []
    assert {"dunning.terms_set", "tax_rate.set"} <= set(actions(brightside))


def test_customers_have_no_such_pages(mara: tuple[Browser, UUID], piet: Browser) -> None:
    browser, tenant = mara
    for name in PAGES:
        assert browser.get(f"/billing/reselling/{name}").status_code == 404
        assert piet.get(f"/billing/reselling/{name}").status_code == 200
    for name in ("seller", "tax", "terms"):
        assert browser.post(f"/billing/reselling/{name}", DETAILS, page="/billing").status_code == 404
        assert browser.get("/staff/seller").status_code in (403, 404)
    with transaction(tenant):
        for verb in (lambda: sellers.update_seller({}), lambda: desk.set_policy(LADDER),
                     lambda: tax.set_rate("DE", Decimal(1))):  # fmt: skip
            with pytest.raises(NotFound):
                verb()


def test_by_share_the_platform_decides(app: Flask, piet: Browser, brightside: UUID) -> None:
    with transaction(brightside):
        terms.choose("share")
    for name in ("seller", "tax", "terms"):
        page = piet.get(f"/billing/reselling/{name}").text
        assert "The platform sells to your customers" in page and "<fieldset disabled>" in page
    assert "Lanternworks Ltd" in piet.get("/billing/reselling/seller").text
    refused = piet.post("/billing/reselling/seller", DETAILS)
    assert refused.status_code == 422 and "it decides this" in refused.text
    with transaction(brightside):
        for verb in (lambda: desk.set_policy(LADDER), lambda: tax.set_rate("DE", Decimal(1))):
            with pytest.raises(Conflict):
                verb()
    assert seller_of(brightside).legal_name == "Lanternworks Ltd"


def test_by_share_a_reseller_follows_the_platform(dana: Browser, brightside: UUID) -> None:
    apart = make_tenant("Apart", kind="reseller")
    for one in (brightside, apart):
        with transaction(one):
            sellers.ensure_seller("A reseller Ltd")
            terms.choose("share" if one == brightside else "wholesale")
    platform, ours = seller_of(PLATFORM_ID), seller_of(brightside)
    assert (ours.number_prefix, ours.note_prefix) != (platform.number_prefix, platform.note_prefix)
    assert ours.number_prefix.startswith("INV-")
    dana.post("/staff/tax", {"country": "US", "region": "CA", "rate": "7.25"})
    dana.post("/staff/seller", DETAILS)
    dana.post("/staff/unpaid/terms", {**LADDER, "retry_days": "0, 2"})
    run_all(reraise=True)
    (customer,) = customers(brightside, 1)
    with transaction(customer):
        known = sellers.seller()
        assert (known.legal_name, known.number_prefix) == ("Brightside GmbH", ours.number_prefix)
        assert [one.region for one in tax.rates(known.id)] == ["CA"]
        assert rows.policy(brightside).retry_days == (0, 2)
    with transaction(apart):
        known = sellers.seller()
        assert known.legal_name == "A reseller Ltd" and tax.rates(known.id) == []
        assert rows.policy(apart).retry_days == (0, 3, 5, 7)


def test_no_seller_reaches_anothers_rows(brightside: UUID) -> None:
    """The fence of the tables, whatever the verbs check."""
    other = make_tenant("Otherside", kind="reseller")
    for owner in (other, PLATFORM_ID):
        with transaction(owner):
            sellers.ensure_seller("Otherside Ltd")
            desk.set_policy(LADDER)
            tax.set_rate("US", Decimal(7), region="CA")
    (customer,) = customers(brightside, 1)
    for reader in (brightside, customer):
        with transaction(reader) as here:
            for model in (Seller, DunningPolicy, TaxRate):
                owners = set(here.scalars(select(model.reseller_id)))
                assert owners <= {brightside}
    rate = {"country": "US", "region": "NY", "title": "T", "rate": Decimal(1)}
    for writer, row in (
        (brightside, DunningPolicy(reseller_id=other, **LADDER)),
        (brightside, DunningPolicy(reseller_id=PLATFORM_ID, **LADDER)),
        (brightside, TaxRate(reseller_id=PLATFORM_ID, effective_from=START.date(), **rate)),
        (customer, TaxRate(reseller_id=brightside, effective_from=START.date(), **rate)),
        (customer, Seller(reseller_id=other, legal_name="Mine now")),
    ):
        with pytest.raises(DBAPIError, match="row-level security"):
            write(writer, row)
    with transaction(customer) as here:
        changed = here.execute(update(Seller).values(legal_name="Mine now"))
        assert changed.rowcount == 0, "a customer reads its seller, and writes nothing of it"  # type: ignore[attr-defined]


def write(writer: UUID, row: object) -> None:
    with transaction(writer) as here:
        here.add(row)


def test_the_api_says_and_takes_the_same(app: Flask, brightside: UUID) -> None:
    with transaction(brightside, SYSTEM):
        secret = create_api_key("test", role=Role.BILLING).secret
    (customer,) = customers(brightside, 1)
    with transaction(customer, SYSTEM):
        theirs = create_api_key("test", role=Role.BILLING).secret

    def call(method: str, path: str = "", json: Any = None, key: str = secret) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        return app.test_client().open(
            f"/api/v1/billing/selling{path}", method=method, headers=headers, json=json
        )

    assert call("GET").json["legal_name"] == "Brightside Ltd"
    changed = call("PUT", json={"number_prefix": "b-", "due_days": 30}).json
    assert (changed["number_prefix"], changed["legal_name"]) == ("B-", "Brightside Ltd")
    wrong = call("PUT", json={"number_prefix": "B1"})
    assert (wrong.status_code, list(wrong.json["errors"])) == (422, ["number_prefix"])
    assert call("POST", "/tax-rates", {"country": "US", "region": "CA", "rate": "7.25"}).status_code == 201
    assert [one["rate"] for one in call("GET", "/tax-rates").json] == ["7.25"]
    assert call("PUT", "/terms", LADDER).json == call("GET", "/terms").json == LADDER
    assert call("PUT", "/terms", LADDER | {"end_day": 1}).status_code == 422
    assert call("GET", "/unpaid").json == []
    for method, path, json in (("GET", "", None), ("PUT", "", {}), ("GET", "/tax-rates", None), ("GET", "/terms", None),
                               ("PUT", "/terms", LADDER), ("GET", "/unpaid", None)):  # fmt: skip
        assert call(method, path, json, theirs).status_code == 404


PREFIXES = st.text("AB01-/.", min_size=1, max_size=8)
WISHES = st.fixed_dictionaries(
    {"number_prefix": PREFIXES, "note_prefix": PREFIXES, "numbering": st.sampled_from(["seller", "customer"])}
)
STEPS = st.lists(st.one_of(WISHES, st.sampled_from([0, 1, "note"])), min_size=4, max_size=30)


@given(STEPS)
@settings(
    max_examples=25, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_no_number_is_given_twice_however_prefixes_change(
    street: Database, steps: list[dict[str, str] | int | str]
) -> None:
    """Invoices of two customers and credit notes, with changes of prefix and policy in between."""
    seller = make_tenant("Seller", kind="reseller")
    with transaction(seller):
        sellers.ensure_seller("Seller Ltd")
    buyers, given_out = customers(seller, 2), []
    for step in steps:
        if isinstance(step, dict):
            try:
                with transaction(seller):
                    sellers.update_seller(step)
            except Invalid:
                continue
        elif step == "note":
            with transaction(buyers[0]):
                given_out.append(sellers.next_note_number(sellers.seller()))
        else:
            with transaction(buyers[int(step)]):
                given_out.append(sellers.next_invoice_number(sellers.seller())[0])
    assert len(given_out) == len(set(given_out)), given_out


@given(PREFIXES, PREFIXES)
def test_invoices_and_credit_notes_never_look_alike(invoice: str, note: str) -> None:
    """Over many numbers of both, by either policy, where the checks take the prefixes."""
    for policy in seller_checks.NUMBERINGS:
        whole = {"number_prefix": invoice, "note_prefix": note, "numbering": policy, "legal_name": "S", "address": "",
                 "country": "", "tax_id": "", "due_days": 7, "oss": True}  # fmt: skip
        if seller_checks.errors(whole, 0):
            continue
        notes = {f"{note}{number:06d}" for number in (1, 2, 11, 1001, 100_001, 1_000_001)}
        head = invoice.rstrip("-")
        issued = (
            {f"{invoice}{number:06d}" for number in (1, 2, 11, 1001, 100_001, 1_000_001)}
            if policy == "seller"
            else {f"{head}-{one:03d}-{two:03d}" for one in (1, 2, 11, 100_001) for two in (1, 100_001)}
        )
        assert not notes & issued
        tails = {
            int(re.findall(r"[0-9]+$", number)[0]) for number in (issued if policy == "seller" else notes)
        }
        assert tails == {1, 2, 11, 1001, 100_001, 1_000_001}, "the number can be read off its end"
