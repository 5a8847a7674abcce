"""Stripe tells banks our side (values.billing.DisputeGateway): one answer for each key, for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from chom_sdk import Conflict
from chom_sdk.billing import DisputeFacts, DisputeReply, EvidenceField
from chom_stripe import attempts, evidence
from chom_stripe.keys import NAME, Keys, api
from chom_stripe.outcomes import has_answer, mine, spoken, standing

if TYPE_CHECKING:
    from stripe import Dispute


@dataclass(frozen=True)
class StripeDisputes:
    """Holds the keys it was made with, and nothing else."""

    keys: Keys
    name: str = NAME
    title: str = "Stripe"

    @property
    def sandbox(self) -> bool:
        return self.keys.mode != "live"

    def evidence(self, facts: DisputeFacts) -> tuple[EvidenceField, ...]:
        return evidence.fields(facts)

    def submit(self, reply: DisputeReply) -> None:
        """Conflict where Stripe takes none: too late, answered before, or too long."""
        if sum(map(len, reply.evidence.values())) > evidence.MOST:
            raise Conflict(
                _("This is more than Stripe takes."),
                fix=_("All fields together: at most %(most)s characters.", most=evidence.MOST),
            )
        asked: Any = {"evidence": dict(reply.evidence), "submit": True}
        self._once(
            reply,
            lambda key: api(self.keys).disputes.update(reply.reference, asked, {"idempotency_key": key}),
        )

    def accept(self, reply: DisputeReply) -> None:
        """Conflict where it is decided already."""
        self._once(
            reply, lambda key: api(self.keys).disputes.close(reply.reference, {}, {"idempotency_key": key})
        )

    def _once(self, reply: DisputeReply, ask: Callable[[str], Dispute]) -> None:
        """Ask under the reply's key, unless that was done: Stripe forgets keys after a day, the dispute does not."""
        import stripe

        key, mode = f"{reply.tenant_id}/{reply.key}", self.keys.mode
        with spoken():
            mine(self._look(reply).payment_intent, reply.tenant_id)
            try:
                attempts.once(
                    mode,
                    key,
                    reply.tenant_id,
                    create=lambda: ask(key),
                    fetch=lambda _reference: self._look(reply),
                    find=lambda: self._answered(reply),
                )
            except stripe.IdempotencyError:
                raise
            except stripe.InvalidRequestError as error:
                raise Conflict(
                    _("Stripe does not take this: %(why)s", why=error.user_message),
                    fix=_("Look at the dispute at Stripe."),
                ) from error

    def _look(self, reply: DisputeReply) -> Dispute:
        return api(self.keys).disputes.retrieve(reply.reference, {"expand": ["payment_intent"]})

    def _answered(self, reply: DisputeReply) -> Dispute | None:
        found = self._look(reply)
        return found if has_answer(found) or standing(found.status) != "open" else None
