"""A bank in memory, behind a gateway that answers disputes: it counts what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.billing.models import Dispute, DisputeAnswer
from chom_core.billing.service.paying import answers, disputes
from chom_core.billing.service.paying.answers import Advocate
from chom_core.database import transaction
from chom_core.values import Conflict, Money
from chom_core.values.billing import DisputeFacts, DisputeReply, EvidenceField
from tests.billing import till

FIELDS = (EvidenceField("customer_name", "Name"), EvidenceField("notes", "Notes", most=20, long=True))


class Bank:
    """Takes one answer for each dispute. `next`: what it does when it is asked: takes, loses its answer, or says no."""

    name, title, sandbox = "sandbox_gateway", "Bank", True

    def __init__(self) -> None:
        self.next = "takes"
        self.told: dict[str, tuple[str, dict[str, str]]] = {}
        self.keys: dict[str, str] = {}
        self.facts: list[DisputeFacts] = []
        self._lock = Lock()

    def evidence(self, facts: DisputeFacts) -> tuple[EvidenceField, ...]:
        self.facts.append(facts)
        return (EvidenceField("customer_name", "Name", facts.customer), *FIELDS[1:])

    def submit(self, reply: DisputeReply) -> None:
        self._take("evidence", reply)

    def accept(self, reply: DisputeReply) -> None:
        self._take("accept", reply)

    def _take(self, kind: str, reply: DisputeReply) -> None:
        if self.next == "no":
            raise Conflict("The bank takes nothing.", fix="Ask it.")
        if self.next == "silent":
            raise ConnectionResetError
        with self._lock:
            if self.keys.setdefault(reply.reference, reply.key) != reply.key:
                raise Conflict("It was answered already.")
            self.told[reply.reference] = (kind, dict(reply.evidence))
        if self.next == "lost":
            raise ConnectionResetError


@contextmanager
def opened() -> Iterator[Bank]:
    """The bank stands behind every dispute."""
    bank = Bank()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "advocate", lambda gateway: Advocate("sandbox_gateway", bank))
        yield bank


def disputed(tenant: UUID, reference: str = "dp_1", paid: UUID | None = None, **news: Any) -> UUID:
    """A top-up that a bank has taken back; its dispute."""
    payment = paid or till.topped_up(tenant, 5000)
    hear(tenant, payment, reference, "open", **news)
    with transaction(tenant) as here:
        return here.scalars(select(Dispute.id).where(Dispute.reference == reference)).one()


def hear(tenant: UUID, payment: UUID, reference: str, state: Any, cents: int = 5000, **news: Any) -> None:
    with transaction(tenant):
        disputes.disputed(payment, reference, Money(cents, "USD"), state, **news)


def answer(tenant: UUID, dispute_id: UUID) -> DisputeAnswer | None:
    with transaction(tenant) as here:
        return here.scalar(select(DisputeAnswer).where(DisputeAnswer.dispute_id == dispute_id))


def draft(tenant: UUID, dispute_id: UUID, version: int = 0, **texts: str) -> int:
    """Save a draft; its version."""
    with transaction(tenant):
        return answers.save(dispute_id, texts or {"notes": "it was used"}, version, FIELDS).version


def decide(tenant: UUID, dispute_id: UUID, version: int, kind: Any = "evidence") -> UUID:
    with transaction(tenant):
        return answers.decide(dispute_id, kind, version).id
