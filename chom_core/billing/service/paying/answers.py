"""What banks are told about disputes: a draft, then one answer, sent by a job once a person has decided.

The decision is saved with the key of the call before anybody is called, so two clicks are one answer, and an answer
whose arrival nobody knows is asked for again under the same key. How the bank decides is heard later (`disputes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

import structlog
from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import select

from chom_core import database
from chom_core.audit.service import Subject, record
from chom_core.billing.models import Dispute, DisputeAnswer, Payment
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying.gateways import as_plugin
from chom_core.database import acting_as, clock, current, here, restart, session
from chom_core.plugin_host import hooks
from chom_core.values.billing import DisputeFacts, DisputeGateway, DisputeQuery, DisputeReply, EvidenceField
from chom_core.values.errors import ChomError, Conflict, Invalid, NotFound, Unavailable
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.work import emit, enqueue, outside

log = structlog.get_logger("chom.billing")
SEND = "billing.answer_dispute"
Kind = Literal["evidence", "accept"]
#: Still a person's to change: nothing of it is with the gateway.
OURS = ("draft", "refused")


class Advocate(Struct, frozen=True):
    """Who answers the disputes of a gateway, and the plugin it belongs to."""

    plugin: str
    gateway: DisputeGateway

    def fields(self, facts: DisputeFacts) -> tuple[EvidenceField, ...] | None:
        """What can be told, with proposals; None where the plugin fails. Reads only: no commit."""
        try:
            with acting_as(self.plugin, writes=False):
                return self.gateway.evidence(facts)
        except Exception as error:
            log.exception("no evidence proposed", gateway=self.gateway.name, error=type(error).__name__)
            return None


def advocate(gateway: str) -> Advocate | None:
    """Who answers disputes of payments at `gateway`; None: they are answered there, by hand."""
    answers = hooks.billing_disputes(DisputeQuery(here(), gateway))
    found = [Advocate(plugin, value) for plugin, value, _error in answers if value is not None]
    return next((one for one in found if one.gateway.name == gateway), None)


def save(
    dispute_id: UUID, texts: Mapping[str, str], version: int, fields: tuple[EvidenceField, ...]
) -> DisputeAnswer:
    """Keep `texts` as the draft, by names of `fields`. `version` is the draft's that was read.

    Raises Invalid (fields), NotFound, and Conflict where it was changed meanwhile, or is with the gateway already.
    """
    dispute = _locked(dispute_id)
    row = _open(dispute, version)
    row.evidence, row.version = _checked(texts, fields), row.version + 1
    session().flush()
    return row


def decide(dispute_id: UUID, kind: Kind, version: int) -> DisputeAnswer:
    """Send the draft to the bank, or give the dispute up; a job does it. It cannot be changed after. Audited.

    Again is the same answer. Raises Invalid where nothing is written, NotFound, and Conflict as `save` does.
    """
    dispute = _locked(dispute_id)
    known = _answer(dispute)
    if known is not None and known.status not in OURS and known.kind == kind:
        return known
    row = _open(dispute, version)
    if kind == "evidence" and not row.evidence:
        raise Invalid(_("There is no evidence yet."), fix=_("Write down what the bank should know."))
    row.kind, row.status, row.turn, row.message = kind, "sending", row.turn + 1, ""
    row.key = f"dispute/{dispute.id}/{row.turn}"
    row.decided_by, row.decided_at = current().principal.name[:254], clock.now()
    session().flush()
    amount = Money(dispute.amount, dispute.currency).format()
    verb = "dispute.answered" if kind == "evidence" else "dispute.accepted"
    record(verb, Subject("dispute", dispute.id, f"{dispute.reference}, {amount}"))
    enqueue(SEND, {"answer_id": str(row.id)}, key=f"{SEND}:{row.key}")
    return row


def send(answer_id: UUID) -> None:
    """Ask the gateway to take the answer, and note what it says. Safe to repeat: its key makes it one.

    Commits before the call. Raises Unavailable where nobody knows: call it again.
    """
    row = _by_id(answer_id)
    if row.status != "sending":
        return
    dispute = session().get_one(Dispute, row.dispute_id)
    gateway = session().get_one(Payment, dispute.payment_id).gateway
    found = advocate(gateway)
    if found is None:
        raise Unavailable(
            _("Nobody answers disputes at %(gateway)s.", gateway=gateway),
            fix=_("Staff: switch its extension on."),
        )
    evidence = row.kind == "evidence"
    reply = DisputeReply(row.key, dispute.reference, row.tenant_id, dict(row.evidence) if evidence else {})
    refusal: ChomError | None = None
    try:
        outside(
            as_plugin, found.plugin, found.gateway,
            lambda to: to.submit(reply) if evidence else to.accept(reply),
            "It is asked again with the same key.",
        )  # fmt: skip
    except Unavailable:
        raise
    except ChomError as no:
        refusal = no
    _settle(answer_id, reply.key, refusal)
    restart()


def _settle(answer_id: UUID, key: str, refusal: ChomError | None) -> None:
    row = _by_id(answer_id)
    if (row.status, row.key) != ("sending", key):
        return
    dispute = session().get_one(Dispute, row.dispute_id)
    row.status, row.settled_at = ("sent" if refusal is None else "refused"), clock.now()
    row.message = "" if refusal is None else f"{refusal.detail} {refusal.fix}".strip()[:300]
    session().flush()
    emit(
        "dispute.answered" if refusal is None else "dispute.answer_refused",
        subject=f"dispute:{dispute.reference}",
        payload={"dispute_id": str(dispute.id), "kind": row.kind, "message": row.message},
    )


def _locked(dispute_id: UUID) -> Dispute:
    sellers.lock_profile()
    return database.locked(Dispute, dispute_id, NotFound(_("There is no such dispute.")))


def _by_id(answer_id: UUID) -> DisputeAnswer:
    return database.locked(DisputeAnswer, answer_id, NotFound(_("There is no such answer.")))


def _answer(dispute: Dispute) -> DisputeAnswer | None:
    return session().scalar(select(DisputeAnswer).where(DisputeAnswer.dispute_id == dispute.id))


def _open(dispute: Dispute, version: int) -> DisputeAnswer:
    """The answer as far as it is a person's still, made where there is none."""
    if dispute.status != "open" or dispute.answered:
        raise Conflict(
            _("The bank takes no answer any more."), fix=_("Reload the page: it says how the dispute stands.")
        )
    row = _answer(dispute)
    if row is None:
        row = DisputeAnswer(
            id=uuid7(), tenant_id=dispute.tenant_id, dispute_id=dispute.id, evidence={}, version=0, kind="evidence",
            status="draft", turn=0, key="", decided_by="", message="",
        )  # fmt: skip
        session().add(row)
        session().flush()
    if row.status not in OURS:
        raise Conflict(
            _("The answer is with the bank already."), fix=_("It cannot be changed: reload the page.")
        )
    if row.version != version:
        raise Conflict(
            _("Somebody changed the evidence meanwhile."), fix=_("Reload the page and read it again.")
        )
    return row


def _checked(texts: Mapping[str, str], fields: tuple[EvidenceField, ...]) -> dict[str, str]:
    known = {field.name: field.most for field in fields}
    wrong: dict[str, list[str]] = {}
    kept: dict[str, str] = {}
    for name, text in texts.items():
        plain = text.replace("\x00", "").replace("\r\n", "\n").strip()
        if name not in known:
            wrong[name] = [_("The gateway has no such field.")]
        elif len(plain) > known[name]:
            wrong[name] = [_("At most %(most)s characters.", most=known[name])]
        elif plain:
            kept[name] = plain
    if wrong:
        raise Invalid(_("Not all of the evidence can be kept."), fields=wrong)
    return kept
