"""Credit notes: documents that take back part of a finalised invoice, with lines, tax and a number series of their own.

A note is settled in this order: off what is still due; then what had been paid in money, to a refund or to account
credit as asked; then the account credit, then the promotional credit that the invoice had used, back to the grants
they came from. All notes together never exceed a line, and a line given back wholly gives back its whole tax.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import func, select

from chom_core.audit.service import Subject, record
from chom_core.billing import ledger
from chom_core.billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLine, Payment, Seller
from chom_core.billing.rules import taxes
from chom_core.billing.service.credit import grants
from chom_core.billing.service.invoicing import invoices, sellers
from chom_core.billing.service.paying import disputes, refunds, settlement
from chom_core.database import clock, session
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.work import emit

Settle = Literal["refund", "credit", "due"]
#: What to take back: all that is left, an amount with tax, or a net amount for each line by its position.
What = Money | Mapping[int, Money] | None


class Open(Struct, frozen=True):
    """What of one invoice line may still be taken back."""

    line: InvoiceLine
    net: Money
    tax: Money

    @property
    def total(self) -> Money:
        return self.net + self.tax


class Parts(Struct, frozen=True):
    """Where a note's total goes."""

    due: Money
    refund: Money
    account: Money
    credit: Money
    promotional: Money


def issue(
    invoice_id: UUID, what: What, settle: Settle = "credit", *, reason: str, key: str, closes: bool = True
) -> CreditNote:
    """Take back part of an invoice. The same key again is the same note. Audited.

    `what`: see `What`. `settle`: what had been paid goes back to the card ("refund", by a job), becomes account credit
    ("credit"), or nothing had been ("due": refused where the note is more than what is due). `closes` False: the caller
    ends the invoice itself. Takes the note's number: call it before an invoice is numbered in the same transaction.
    Raises NotFound, Invalid (`amount`, `lines`), Conflict (a draft or void invoice, a payment on its way, the key had
    other facts).
    """
    sellers.lock_profile()
    reason, key = grants.words_in(reason, "reason", 300), grants.words_in(key, "key", 200)
    facts = {"invoice": str(invoice_id), "what": _plain(what), "settle": settle}
    known = session().scalar(select(CreditNote).where(CreditNote.key == key))
    if known is not None:
        if known.facts != facts:
            raise Conflict(_("This key was used for another credit note."), fix=_("Nothing was written."))
        return known
    invoice = invoices.locked(invoice_id)
    if invoice.status in ("draft", "void"):
        raise Conflict(_("The invoice is %(status)s: there is nothing to take back.", status=invoice.status))
    if settle not in ("refund", "credit", "due"):
        raise Invalid(_("How is it settled?"), fields={"settle": [_("refund, credit or due.")]})
    invoices.nothing_on_its_way(invoice)
    chosen = _choose(invoice, creditable(invoice), what)
    invoices.recover(invoice)
    note = _write(invoice, chosen, settle, reason, key, facts)
    if closes and invoices.close_if_settled(invoice):
        settlement.settled(invoice, None)
    if note.total > note.to_due + note.to_refund:
        settlement.pay_open_by_credit()
    return note


def creditable(invoice: Invoice) -> list[Open]:
    """Each line with what notes have left of it: net of its discounts, and its tax."""
    query = (
        select(CreditNoteLine.invoice_line_id, func.sum(CreditNoteLine.amount), func.sum(CreditNoteLine.tax))
        .join(CreditNote, CreditNote.id == CreditNoteLine.credit_note_id)
        .where(CreditNote.invoice_id == invoice.id)
        .group_by(CreditNoteLine.invoice_line_id)
    )
    noted = {line: (int(net), int(tax)) for line, net, tax in session().execute(query)}
    found = []
    for line in invoice.lines:
        net, tax = noted.get(line.id, (0, 0))
        left = Open(
            line,
            Money(max(line.amount, 0) - line.discount - net, line.currency),
            Money(line.tax - tax, line.currency),
        )
        if left.total.amount > 0:
            found.append(left)
    return found


def _choose(invoice: Invoice, left: Sequence[Open], what: What) -> list[Open]:
    """The part of each line that is taken back now."""
    if what is None:
        chosen = list(left)
    elif isinstance(what, Money):
        chosen = _by_total(invoice, left, what)
    else:
        chosen = _by_lines(invoice, left, what)
    if not any(one.total for one in chosen):
        raise Invalid(
            _("Nothing of this invoice is left to take back."), fields={"amount": [_("Nothing is left.")]}
        )
    return chosen


def _by_total(invoice: Invoice, left: Sequence[Open], money: Money) -> list[Open]:
    """An amount with tax, over the lines in proportion to what is left of them."""
    grants.money_in(money)
    _currency(invoice, money)
    most = sum((one.total for one in left), start=Money.zero(invoice.currency))
    if money > most:
        raise Invalid(
            _("At most %(most)s of this invoice is left.", most=most.format()),
            fields={"amount": [_("More than is left.")]},
        )
    shares = money.allocate([one.total.amount for one in left])
    return [_part_of_total(one, share) for one, share in zip(left, shares, strict=True) if share]


def _part_of_total(one: Open, share: Money) -> Open:
    part = taxes.note_of_total(one.net, one.tax, Money.zero(share.currency), share)
    return replace(one, net=part.sub, tax=part.tax)


def _by_lines(invoice: Invoice, left: Sequence[Open], wanted: Mapping[int, Money]) -> list[Open]:
    """Net amounts by line; each bears its share of the line's tax."""
    open_lines = {one.line.position: one for one in left}
    errors, chosen = [], []
    for position, money in wanted.items():
        grants.money_in(money)
        _currency(invoice, money)
        one = open_lines.get(position)
        if one is None or money > one.net:
            most = one.net if one else Money.zero(invoice.currency)
            errors.append(f"Line {position}: at most {most.format()} is left.")
            continue
        part = taxes.note(one.net, one.tax, Money.zero(money.currency), money)
        chosen.append(replace(one, net=part.sub, tax=part.tax))
    if errors:
        raise Invalid(_("More than is left of a line."), fields={"lines": errors})
    return chosen


def _currency(invoice: Invoice, money: Money) -> None:
    if money.currency != invoice.currency:
        raise Invalid(fields={"amount": [_("In %(currency)s, as the invoice.", currency=invoice.currency)]})


def _parts(invoice: Invoice, total: Money, settle: Settle) -> Parts:
    zero = Money.zero(total.currency)
    due = min(total, invoice.due)
    rest = total - due
    if settle == "due" and rest:
        raise Invalid(
            _("Only %(due)s is due.", due=due.format()), fix=_("Give the rest back as credit or to the card."),
            fields={"amount": [_("More than is due.")]},
        )  # fmt: skip
    paid = min(rest, refunds.backing(invoice))
    used = {"account": zero, "promotional": zero}
    for grant, amount in grants.used_for(invoice.id):
        used[grant.kind] = used[grant.kind] + amount
    credit = min(rest - paid, used["account"])
    promotional = rest - paid - credit
    if promotional > used["promotional"]:
        raise Conflict(
            _("A refund of this invoice is on its way."), fix=_("Wait until it is settled, then try again.")
        )
    to_card = paid if settle == "refund" else zero
    return Parts(due, to_card, paid - to_card, credit, promotional)


def _write(
    invoice: Invoice, chosen: Sequence[Open], settle: Settle, reason: str, key: str, facts: dict[str, Any]
) -> CreditNote:
    zero = Money.zero(invoice.currency)
    net, tax = sum((one.net for one in chosen), start=zero), sum((one.tax for one in chosen), start=zero)
    parts = _parts(invoice, net + tax, settle)
    seller = session().get_one(Seller, invoice.seller_id)
    session().flush()
    note = CreditNote(
        id=uuid7(), tenant_id=invoice.tenant_id, seller_id=seller.id, invoice_id=invoice.id, key=key, facts=facts,
        number=sellers.next_note_number(seller), settle=settle, reason=reason, currency=invoice.currency,
        subtotal=net.amount, tax=tax.amount, total=(net + tax).amount, to_due=parts.due.amount,
        to_refund=parts.refund.amount, to_account=parts.account.amount, to_credit=parts.credit.amount,
        to_promotional=parts.promotional.amount, issued_at=clock.now(),
        snapshot={**invoice.snapshot, "invoice": invoice.number},
    )  # fmt: skip
    session().add(note)
    session().flush()
    session().add_all(
        CreditNoteLine(
            tenant_id=note.tenant_id, credit_note_id=note.id, invoice_line_id=one.line.id, position=place,
            description=one.line.description, amount=one.net.amount, tax=one.tax.amount, currency=note.currency,
        )
        for place, one in enumerate(chosen, start=1)
    )  # fmt: skip
    session().flush()
    _post(note, invoice, parts)
    _settle(note, invoice, parts)
    record("credit_note.issued", Subject("invoice", invoice.id, invoice.number or ""), reason=reason,
           after={"number": note.number, "total": note.total, "settle": settle})  # fmt: skip
    return note


def _post(note: CreditNote, invoice: Invoice, parts: Parts) -> None:
    back = parts.refund + parts.account + parts.credit
    ledger.post(
        f"credit_note:{note.id}",
        "credit note",
        [
            ("revenue", Money(note.subtotal, note.currency)),
            ("tax_payable", Money(note.tax, note.currency)),
            ("receivable", -parts.due),
            ("customer_credit", -back),
            ("promotional_credit", -parts.promotional),
        ],
        seller_id=note.seller_id,
        source=f"credit_note:{note.id}",
        description=f"Credit note {note.number} on invoice {invoice.number}: {note.reason}",
    )


def _settle(note: CreditNote, invoice: Invoice, parts: Parts) -> None:
    """What follows from the note: less is due, credit is given back, the card gets its money."""
    invoice.amount_noted += parts.due.amount
    grants.give_back(invoice, "account", parts.credit, "returned", credit_note_id=note.id)
    grants.give_back(invoice, "promotional", parts.promotional, "returned", credit_note_id=note.id)
    money = parts.refund + parts.account
    grant = None
    if money:
        grant = grants.add(
            "account", money, f"credit_note:{note.id}", seller_id=note.seller_id, against=None,
            reason=f"Credit note {note.number}", credit_note_id=note.id,
        )  # fmt: skip
    session().flush()
    disputes.claim()
    emit(
        "credit_note.issued",
        subject=f"invoice:{invoice.id}",
        payload={"credit_note_id": str(note.id), "invoice_id": str(invoice.id), "total": note.total,
                 "subtotal": note.subtotal, "tax": note.tax, "currency": note.currency, "settle": note.settle},
    )  # fmt: skip
    if grant is not None:  # what a bank has is not given back again
        _refund(note, invoice, grant.id, min(parts.refund, Money(grant.remaining, grant.currency)))


def _refund(note: CreditNote, invoice: Invoice, grant_id: UUID, money: Money) -> None:
    """The paid part back to the cards it came from, the newest payment first."""
    query = select(Payment).where(Payment.invoice_id == invoice.id, Payment.status == "succeeded")
    for payment in session().scalars(query.order_by(Payment.id.desc()).with_for_update()).all():
        some = min(money, refunds.refundable(payment))
        if some:
            credit = [one for one in grants.standing_for(payment.id, invoice.id) if one.id == grant_id]
            key = f"credit_note/{note.id}/{payment.id}"
            refunds.begin(payment, some, note.reason, key, credit, credit_note_id=note.id)
            money = money - some


def _plain(what: What) -> Any:
    """What was asked for, as JSON, to compare a replay with."""
    if what is None:
        return None
    if isinstance(what, Money):
        return [what.amount, what.currency]
    return {str(position): [money.amount, money.currency] for position, money in sorted(what.items())}


def note(note_id: UUID) -> CreditNote:
    """One of the organisation's credit notes; NotFound otherwise."""
    found = session().scalar(select(CreditNote).where(CreditNote.id == note_id))
    if found is None:
        raise NotFound(_("There is no such credit note."))
    return found
