"""Tax as properties: who pays which rate of which country, and never twice or in part."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chom_core.billing.rules import vat
from chom_core.billing.service.invoicing import tax, vat_ids
from chom_core.values.billing import Customer, SellerFacts, TaxAnswer, TaxQuery

DAY = datetime(2026, 11, 23, tzinfo=UTC)
MEMBERS = sorted(vat.MEMBERS)
OUTSIDE = ("US", "GB", "CH", "NO", "JP", "BR")
VALID = vat_ids._LOOKS


@pytest.fixture(autouse=True)
def no_own_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tax, "rates", lambda seller_id: [])


def ask(
    seller: str, customer: str, number: str = "", *, oss: bool = True, at: datetime = DAY
) -> TaxAnswer | None:
    nobody = UUID(int=1)
    facts = SellerFacts(nobody, "Seller", country=seller, oss=oss)
    return tax.answer(TaxQuery(facts, Customer(nobody, country=customer, vat_id=number), "EUR", (), at))


def _answer(*args: str, oss: bool = True) -> TaxAnswer:
    found = ask(*args, oss=oss)
    assert found is not None
    return found


@pytest.mark.parametrize("home", MEMBERS)
def test_at_home_everybody_pays_the_home_rate(home: str) -> None:
    rate = vat.rate(home, DAY.date())
    assert _answer(home, home).rate == rate
    assert _answer(home, home, VALID[home]).rate == rate, "a business too"
    assert _answer(home, "").rate == rate, "so does who has not said yet where they are"


@pytest.mark.parametrize("there", MEMBERS)
def test_a_person_in_another_member_pays_that_ones_rate_or_the_sellers(there: str) -> None:
    home = "DE" if there != "DE" else "FR"
    assert _answer(home, there).rate == vat.rate(there, DAY.date())
    assert _answer(home, there, oss=False).rate == vat.rate(home, DAY.date())


@pytest.mark.parametrize("there", MEMBERS)
def test_a_business_in_another_member_accounts_for_it_itself(there: str) -> None:
    home = "DE" if there != "DE" else "FR"
    answer = _answer(home, there, VALID[there])
    assert answer.rate == 0
    assert "Reverse charge" in answer.note


@pytest.mark.parametrize("there", MEMBERS)
def test_a_wrong_number_is_no_business(there: str) -> None:
    home = "DE" if there != "DE" else "FR"
    for wrong in (VALID[home], VALID[there] + "99", "DE000000000", "x", "ATU00000000"):
        assert _answer(home, there, wrong).rate == vat.rate(there, DAY.date()), wrong


@pytest.mark.parametrize("there", OUTSIDE)
def test_outside_the_union_nothing_is_charged_and_it_says_why(there: str) -> None:
    answer = _answer("DE", there)
    assert answer.rate == 0
    assert answer.note


@pytest.mark.parametrize("seller", ["", *OUTSIDE])
def test_a_seller_outside_charges_nothing_by_itself(seller: str) -> None:
    assert ask(seller, "DE") is None
    assert ask(seller, "US") is None


@given(
    some.sampled_from(MEMBERS),
    some.sampled_from([*MEMBERS, *OUTSIDE, ""]),
    some.text(max_size=14),
    some.booleans(),
)
def test_the_rate_is_none_the_homes_or_the_customers(home: str, there: str, number: str, oss: bool) -> None:
    """Whatever the number says, one rate of one country is charged, and none only where it may be."""
    nobody = UUID(int=1)
    facts = SellerFacts(nobody, "Seller", country=home, oss=oss)
    query = TaxQuery(facts, Customer(nobody, country=there, vat_id=number), "EUR", (), DAY)
    answer = tax.answer(query)
    assert answer is not None
    assert answer == tax.answer(query)
    possible = {vat.rate(home, DAY.date())} | ({vat.rate(there, DAY.date())} if vat.member(there) else set())
    assert answer.rate in possible | {Decimal(0)}
    if answer.rate == 0:
        assert answer.note
        assert not vat.member(there) or vat_ids.is_business(number, there)
        assert there != home


@pytest.mark.parametrize(
    ("country", "day", "rate"),
    [
        ("DE", "2020-06-30", "19"), ("DE", "2020-07-01", "16"), ("DE", "2020-12-31", "16"), ("DE", "2021-01-01", "19"),
        ("EE", "2023-12-31", "20"), ("EE", "2024-01-01", "22"), ("EE", "2025-07-01", "24"), ("FI", "2024-08-31", "24"),
        ("FI", "2024-09-01", "25.5"), ("SK", "2025-01-01", "23"), ("RO", "2025-07-31", "19"),
        ("RO", "2025-08-01", "21"), ("LU", "2023-06-01", "16"), ("MC", "2026-01-01", "20"), ("HU", "2026-01-01", "27"),
    ],
)  # fmt: skip
def test_rates_are_dated(country: str, day: str, rate: str) -> None:
    assert vat.rate(country, date.fromisoformat(day)) == Decimal(rate)


@pytest.mark.parametrize("member", MEMBERS)
def test_numbers_are_read_as_people_write_them(member: str) -> None:
    """With spaces and dots, in small letters, without the prefix: the same number, once and for ever."""
    number = VALID[member]
    assert vat_ids.compact(number, member) == number
    assert vat_ids.compact(f" {number[:4]} {number[4:]}. ".lower(), member) == number
    assert vat_ids.compact(number[2:], member) == number
    broken = number[:-2] + ("00" if number[-2:] != "00" else "11")
    assert vat_ids.compact(broken + "9", member) is None
    assert number in vat_ids.complaint("x", member)


def test_greece_is_el_on_paper() -> None:
    assert vat_ids.compact("GR094259216", "GR") == vat_ids.compact("094259216", "GR") == "EL094259216"
