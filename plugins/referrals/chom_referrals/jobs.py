"""What referrals do when something happened elsewhere, and once a month."""

from __future__ import annotations

from uuid import UUID

from chom_sdk import Money, clock, organisation_id, settings
from chom_sdk.notifications import Amount, notify, phrase
from chom_sdk.work import Job, job

from . import attribution, commissions


@job("referrals.attribute")
def attribute(current: Job) -> None:
    """A new organisation: did a link bring it?"""
    facts = current.event.payload
    brought = facts.get("brought", {}).get("referrals")
    if brought and facts.get("kind") == "customer":
        attribution.attribute(UUID(facts["organisation_id"]), facts["name"], brought)


@job("referrals.follow")
def follow(current: Job) -> None:
    """Something happened to an invoice, of a newcomer perhaps."""
    kind, _colon, subject = current.event.subject.partition(":")
    invoice_id = current.event.payload.get("invoice_id") or (subject if kind == "invoice" else "")
    if invoice_id:
        commissions.follow(organisation_id(), UUID(invoice_id), str(current.event.id))


@job("referrals.settle")
def settle(current: Job) -> None:
    """In the referrer's organisation: earn, or take back."""
    commissions.settle(UUID(current.args["referral_id"]), UUID(current.args["invoice_id"]))


@job("referrals.payouts", timeout=600)
def payouts(current: Job) -> None:
    """The payout run, on its day of the month; on another day nothing."""
    values, today = settings.read("referrals"), clock.now()
    if today.day == values["payout_day"]:
        commissions.pay_all(values, f"{today:%Y-%m}")


@job("referrals.paid_out")
def paid_out(current: Job) -> None:
    """Tell the payee that earnings of ours have arrived."""
    facts, here = current.event.payload, organisation_id()
    if facts["kind"] != "affiliate" or facts["party"] not in (
        commissions.party(here, True),
        commissions.party(here, False),
    ):
        return
    money = Money(facts["amount"], facts["currency"])
    credit = facts["method"] == "credit"
    notify(
        "referrals.paid_out",
        title=phrase("%(amount)s of your earnings was paid out", amount=Amount(money)),
        body=phrase("It is credit on your account now.")
        if credit
        else phrase("It is on its way to you, or there already."),
        link="/referrals/",
        key=f"paid_out:{facts['payout_id']}",
    )
