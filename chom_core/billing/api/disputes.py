"""Disputes over the API, for keys of the platform's own organisation: its banks are told for everybody's payments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.billing import reads
from chom_core.billing.api.base import api
from chom_core.billing.models import Dispute
from chom_core.billing.reads import dispute_facts
from chom_core.billing.reads.disputes import URGENCY
from chom_core.billing.schemas import disputes as schemas
from chom_core.billing.service.paying import answers
from chom_core.database import PLATFORM_ID, current, everyone, here, transaction
from chom_core.values.errors import NotFound

_AT = "/selling/disputes/<uuid:dispute_id>"


@api.get(
    "/selling/disputes",
    scope="billing:read",
    into=schemas.DisputeQuerySchema,
    out=schemas.DisputeSchema,
    many=True,
)
def dispute_list(query: dict[str, Any]) -> Any:
    """The 200 most urgent disputes of all organisations. 404 where the key is not of the platform."""
    _platform()
    with everyone("API: disputes") as all_of_them:
        found = reads.dispute_query(query["state"]).order_by(URGENCY, Dispute.id).limit(200)
        return reads.dispute_infos(all_of_them.execute(found))


@api.get(_AT, scope="billing:read", out=schemas.DisputeDetailSchema)
def dispute(dispute_id: UUID) -> Any:
    """One dispute: what happened, what can be told, and what was."""
    with _customer_of(dispute_id):
        return _shown(dispute_id)


@api.put(
    f"{_AT}/evidence",
    access="admin",
    scope="billing:write",
    into=schemas.EvidenceSchema,
    out=schemas.DisputeDetailSchema,
)
def dispute_evidence(body: dict[str, Any], dispute_id: UUID) -> Any:
    """Keep a draft: text by the names of `proposed`. Nothing is sent. 409 where it was changed meanwhile."""
    with _customer_of(dispute_id):
        found = dispute_facts.fields_here(reads.dispute(dispute_id))
        answers.save(dispute_id, body["evidence"], body["version"], found)
        return _shown(dispute_id)


@api.post(
    f"{_AT}/send",
    access="admin",
    scope="billing:write",
    into=schemas.DecisionSchema,
    out=schemas.DisputeDetailSchema,
    status=200,
)
def dispute_send(body: dict[str, Any], dispute_id: UUID) -> Any:
    """Send the draft to the bank, once and for good; a job does it. Again is the same answer."""
    with _customer_of(dispute_id):
        answers.decide(dispute_id, "evidence", body["version"])
        return _shown(dispute_id)


@api.post(
    f"{_AT}/accept",
    access="admin",
    scope="billing:write",
    into=schemas.DecisionSchema,
    out=schemas.DisputeDetailSchema,
    status=200,
)
def dispute_accept(body: dict[str, Any], dispute_id: UUID) -> Any:
    """Give the dispute up, for good; a job tells the bank. Again is the same answer."""
    with _customer_of(dispute_id):
        answers.decide(dispute_id, "accept", body["version"])
        return _shown(dispute_id)


def _platform() -> None:
    if here() != PLATFORM_ID:
        raise NotFound(_("This organisation answers no bank."))


@contextmanager
def _customer_of(dispute_id: UUID) -> Iterator[None]:
    """A unit in the dispute's organisation, as who calls: what is done there is in its audit log."""
    _platform()
    with everyone("API: a dispute") as all_of_them:
        tenant_id = all_of_them.scalar(select(Dispute.tenant_id).where(Dispute.id == dispute_id))
    if tenant_id is None:
        raise NotFound(_("There is no such dispute."))
    with transaction(tenant_id, current().principal):
        yield


def _shown(dispute_id: UUID) -> dict[str, Any]:
    detail = reads.dispute(dispute_id)
    proposed = dispute_facts.fields(detail) if detail.info.state == "needs_answer" else ()
    names = ("info", "payment", "invoices", "services", "posted", "answer")
    return {name: getattr(detail, name) for name in names} | {"proposed": proposed or ()}
