"""The «bank» of the card whose payments it takes back: it hears our side once, and decides by what is written."""

from __future__ import annotations

from chom_sandbox_gateway import book
from chom_sandbox_gateway.models import Charge
from chom_sdk import Money, transaction
from chom_sdk.billing import DisputeFacts, DisputeReply, EvidenceField
from chom_sdk.work import enqueue

NAME = "sandbox_gateway"
DECIDE = f"{NAME}.bank_decides"
#: As Stripe's sandbox: with these words the customer is right.
LOSES = "losing_evidence"
_OURS, _CHARGES = "sbx_dispute_", "sbx_"


def reference_of(charge: Charge) -> str:
    """What the dispute of a charge is called."""
    return _OURS + charge.reference.removeprefix(_CHARGES)


def charge_of(dispute: str) -> Charge:
    """The charge that is disputed; NotFound."""
    return book.shown(_CHARGES + dispute.removeprefix(_OURS))


class SandboxDisputes:
    """Stateless: the work it enqueues is its book."""

    name = NAME
    title = "Sandbox payments"
    sandbox = True

    def evidence(self, facts: DisputeFacts) -> tuple[EvidenceField, ...]:
        known = (
            f"{facts.customer} <{facts.email}>" if facts.email else facts.customer,
            f"Invoice {facts.invoice}, paid by {facts.card}" if facts.invoice else f"Paid by {facts.card}",
            *facts.lines,
            f"Refunded: {facts.refunded.format()}" if facts.refunded else "",
            *facts.services,
            *facts.use,
        )
        text = "\n".join(line for line in known if line)
        help = f"With «{LOSES}» in it the customer is right, otherwise you are."
        return (EvidenceField("uncategorized_text", "What the bank should know", text, help, long=True),)

    def submit(self, reply: DisputeReply) -> None:
        self._decides(reply, "lost" if LOSES in " ".join(reply.evidence.values()) else "won")

    def accept(self, reply: DisputeReply) -> None:
        self._decides(reply, "lost")

    def _decides(self, reply: DisputeReply, state: str) -> None:
        charge_of(reply.reference)
        with transaction():
            enqueue(
                DECIDE, {"dispute": reply.reference, "state": state}, tenant_id=reply.tenant_id,
                key=f"{DECIDE}:{reply.key}",
            )  # fmt: skip


def money(charge: Charge) -> Money:
    """What the bank takes: what of it was not refunded when it came."""
    return Money(charge.amount - charge.refunded, charge.currency)
