"""Tax in previews and invoices, a seller's own rates, profiles that an invoice can bear, and the invoice on paper."""

from __future__ import annotations

import zlib
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from chom_core.billing.models import DocumentFile, Invoice, Seller, TaxRate
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.invoicing import credit_notes, documents, sellers, tax
from chom_core.database import PLATFORM_ID, transaction
from chom_core.values.errors import Invalid, NotFound
from chom_core.values.money import Money
from tests.billing.shop import books_are_right, buy, order
from tests.conftest import make_tenant

GERMAN = {
    "name": "Müller & Söhne",
    "address": "Gasse 1\n80331 München",
    "country": "DE",
    "vat_id": "DE136695976",
}


@pytest.fixture
def irish(buyer: UUID) -> UUID:
    """The seller is Irish."""
    with transaction(PLATFORM_ID) as here:
        here.execute(update(Seller).values(country="IE", tax_id="IE6433435F", address="1 Quay\nDublin"))
    return buyer


def preview(tenant: UUID) -> tuple[int, int, str]:
    with transaction(tenant):
        bill = checkout.preview(order())
        return bill.tax.amount, bill.total.amount, bill.tax_note


def profile(tenant: UUID, **values: str) -> None:
    with transaction(tenant):
        sellers.update_profile(values)


def test_the_preview_follows_the_customer(irish: UUID) -> None:
    assert preview(irish)[:2] == (1817, 9717), "23 % of 79.00 while nothing is known"
    profile(irish, name="Mara", country="DE")
    assert preview(irish)[:2] == (1501, 9401)
    profile(irish, **GERMAN)
    assert preview(irish) == (0, 7900, tax.REVERSE_CHARGE)
    profile(irish, country="US", vat_id="")
    assert preview(irish) == (0, 7900, tax.OUTSIDE)


def test_preview_equals_invoice_and_the_invoice_is_frozen(irish: UUID) -> None:
    profile(irish, name="Mara", country="DE", email="mara@example.com")
    tax_due, total, _note = preview(irish)
    assert buy(irish, amount="94.01").state == "done"
    profile(irish, **GERMAN)
    with transaction(irish) as here:
        invoice = here.scalars(select(Invoice)).one()
        assert (invoice.tax, invoice.total) == (tax_due, total)
        assert (invoice.tax_title, invoice.tax_rate) == ("VAT DE", Decimal(19))
        assert invoice.snapshot["customer"]["name"] == "Mara"
    books_are_right()


def test_a_states_rate_as_the_seller_sets_it(buyer: UUID) -> None:
    with transaction(PLATFORM_ID) as here:
        here.execute(update(Seller).values(country="US"))
        tax.set_rate(
            "US", Decimal("7.25"), region="CA", title="CA sales tax", effective_from=date(2020, 1, 1)
        )
        tax.set_rate("US", Decimal("99"), region="CA", effective_from=date(2999, 1, 1))
    profile(buyer, name="Mara", country="US", region="ca")
    assert preview(buyer)[:2] == (573, 8473)
    profile(buyer, region="NY")
    assert preview(buyer)[:2] == (0, 7900)
    with transaction(buyer), pytest.raises(Invalid) as refused:
        sellers.update_profile({"region": ""})
    assert "region" in refused.value.fields


def test_a_sellers_own_rate_goes_before_the_built_in_one(irish: UUID) -> None:
    profile(irish, name="Mara", country="DE")
    with transaction(PLATFORM_ID):
        tax.set_rate("DE", Decimal("20"), effective_from=date(2026, 1, 1))
        tax.set_rate("DE", Decimal("21"), effective_from=date(2026, 1, 1))
    assert preview(irish)[:2] == (1659, 9559)
    with transaction(PLATFORM_ID) as here:
        assert here.scalar(select(func.count(TaxRate.id))) == 1


@pytest.mark.parametrize(
    ("place", "rate", "field"),
    [
        (("DE", ""), "100", "rate"), (("DE", ""), "-1", "rate"), (("DE", ""), "NaN", "rate"),
        (("DE", ""), "1.00001", "rate"), (("Germany", ""), "1", "country"), (("US", ""), "1", "region"),
        (("US", "ZZ"), "1", "region"),
    ],
)  # fmt: skip
def test_rates_that_cannot_be(shop: object, place: tuple[str, str], rate: str, field: str) -> None:
    with transaction(PLATFORM_ID) as here:
        with pytest.raises(Invalid) as refused:
            tax.set_rate(place[0], Decimal(rate), region=place[1])
        assert list(refused.value.fields) == [field]
        assert here.scalar(select(func.count(TaxRate.id))) == 0


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({**GERMAN, "vat_id": "DE136695975"}, "vat_id", "DE123456788"),
        ({**GERMAN, "vat_id": "FR40303265045"}, "vat_id", "VAT id of DE"),
        ({**GERMAN, "address": ""}, "address", "address"),
        ({**GERMAN, "country": ""}, "country", "which country"),
        ({"country": "XX"}, "country", "two letters"),
        ({"country": "Germany"}, "country", "At most"),
        ({"country": "US", "region": "Texas"}, "region", "At most"),
        ({"country": "US", "region": "ZZ"}, "region", "state"),
        ({"name": ""}, "name", "who"),
        ({"email": "mara"}, "email", "e-mail"),
        ({"email": "mara@x y.de"}, "email", "e-mail"),
        ({"name": "x" * 201}, "name", "At most"),
    ],
)
def test_what_no_invoice_can_bear_is_said_with_its_fix(
    buyer: UUID, values: dict[str, str], field: str, words: str
) -> None:
    with transaction(buyer) as here:
        with pytest.raises(Invalid) as refused:
            sellers.update_profile(values)
        assert list(refused.value.fields) == [field]
        assert words in refused.value.fields[field][0]
        here.rollback()
    with transaction(buyer):
        assert sellers.profile().country == ""


def test_a_number_is_kept_as_it_is_printed(buyer: UUID) -> None:
    profile(buyer, **{**GERMAN, "vat_id": " de 136 695 976"})
    with transaction(buyer):
        assert sellers.profile().vat_id == "DE136695976"


# -- on paper ----------------------------------------------------------------------------------------------------------


def test_the_pdf_is_made_of_what_was_frozen(irish: UUID) -> None:
    profile(irish, **GERMAN)
    assert buy(irish, amount="79.00").state == "done"
    profile(irish, name="Another name", country="FR", vat_id="")
    with transaction(irish) as here:
        invoice = here.scalars(select(Invoice)).one()
        facts = documents.invoice_facts(invoice)
        assert facts["customer"] == [
            "Müller & Söhne",
            "Gasse 1",
            "80331 München",
            "DE",
            "Tax number DE136695976",
        ]
        assert facts["seller"] == ["Lanternworks Ltd", "1 Quay", "Dublin", "IE", "Tax number IE6433435F"]
        assert facts["brand"] == invoice.snapshot["brand"]
        assert tax.REVERSE_CHARGE in facts["notes"]
        assert facts["stamp"][0] == "PAID"
        assert [row[:2] for row in facts["sums"]] == [
            ["Subtotal", "$79.00"], ["VAT 0 %", "$0.00"], ["Total (USD)", "$79.00"], ["Paid", "-$79.00"],
            ["Amount due", "$0.00"],
        ]  # fmt: skip
        assert facts["lines"][0][1:] == ["1", "$79.00", "$79.00"]
        first = documents.invoice_pdf(invoice.id)
        assert first.name == "INV-000001.pdf"
        assert first.content.startswith(b"%PDF-")
        assert "Invoice INV-000001" in _title(first.content)


def test_it_is_drawn_once_and_the_same_everywhere(irish: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    buy(irish, amount="97.17")
    with transaction(irish) as here:
        invoice_id = here.scalars(select(Invoice.id)).one()
        first = documents.invoice_pdf(invoice_id).content
        here.execute(DocumentFile.__table__.delete())  # type: ignore[attr-defined]
        assert documents.invoice_pdf(invoice_id).content == first, "byte for byte"
    monkeypatch.setattr(documents, "draw", None)
    with transaction(irish) as here:
        assert documents.invoice_pdf(invoice_id).content == first
        assert here.scalar(select(func.count(DocumentFile.id))) == 1


def test_a_credit_note_on_paper_and_what_it_changes_on_the_invoice(irish: UUID) -> None:
    buy(irish, amount="97.17")
    with transaction(irish) as here:
        invoice = here.scalars(select(Invoice)).one()
        note = credit_notes.issue(invoice.id, Money(1000, "USD"), "credit", reason="Sorry", key="t")
        facts = documents.credit_note_facts(note)
        assert facts["heading"] == "Credit note"
        assert ["Total credited (USD)", "$10.00", True] in facts["sums"]
        assert ["As account credit", "$10.00", False] in facts["sums"]
        assert "Sorry" in facts["notes"]
        assert documents.credit_note_pdf(note.id).content.startswith(b"%PDF-")


def test_what_people_typed_is_text_on_paper_and_never_code(irish: UUID) -> None:
    nasty = '#panic("x") *b* $1/2$ @ref <l> \\ `raw` [c] "q" {{ x }}'
    profile(irish, name=nasty, country="IE")
    buy(irish, amount="97.17")
    with transaction(irish) as here:
        assert documents.invoice_pdf(here.scalars(select(Invoice.id)).one()).content.startswith(b"%PDF-")


def test_no_strangers_documents(irish: UUID) -> None:
    buy(irish, amount="97.17")
    with transaction(irish) as here:
        invoice_id = here.scalars(select(Invoice.id)).one()
        documents.invoice_pdf(invoice_id)
    with transaction(make_tenant("Other")), pytest.raises(NotFound):
        documents.invoice_pdf(invoice_id)


def _title(pdf: bytes) -> str:
    """The texts of a PDF's information, unpacked."""
    found = [pdf.decode("latin-1")]
    for part in pdf.split(b"stream\n")[1:]:
        try:
            found.append(zlib.decompress(part).decode("latin-1"))
        except zlib.error:
            continue
    return "\n".join(found)
