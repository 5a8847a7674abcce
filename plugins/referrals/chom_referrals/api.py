"""Referrals over the API."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import select

from chom_sdk import ApiRoutes, asked_page, billing, organisation_id, paginate

from . import codes, commissions, numbers
from .models import Code, Referral
from .schemas import CodeIn, CodeList, CodeOut, PayoutList, ReferralPage, SummaryOut

api = ApiRoutes("referrals", __name__, prefix="/referrals", access="viewer")


@api.get("/", scope="referrals:read", out=SummaryOut)
def read_summary() -> dict[str, Any]:
    found = numbers.summary(codes.mine())
    owed = [
        {"as_credit": numbers.as_credit(one), "pending": one.pending, "available": one.available,
         "on_its_way": one.on_its_way, "paid": one.paid}
        for one in found.owed
    ]  # fmt: skip
    return {
        "clicks": found.clicks, "sign_ups": found.sign_ups, "conversions": found.conversions,
        "conversion_rate": found.rate, "tier": found.tier.name, "earnings": owed, "sources": found.sources,
    }  # fmt: skip


@api.get("/codes", scope="referrals:read", out=CodeList)
def list_codes() -> dict[str, Any]:
    mine = codes.mine()
    by_code = numbers.counts(code.id for code in mine)
    return {"items": [_plain(code, by_code[code.id]) for code in mine]}


@api.post("/codes", access="admin", scope="referrals:write", into=CodeIn, out=CodeOut)
def create_code(values: dict[str, Any]) -> dict[str, Any]:
    return _plain(codes.create(values), numbers.Count())


@api.get("/referred", scope="referrals:read", out=ReferralPage)
def list_referred() -> dict[str, Any]:
    after, limit = asked_page()
    query = select(Referral).where(Referral.referrer_id == organisation_id(), Referral.status != "refused")
    page = paginate(query, Referral.id, after=after, limit=limit)
    names = ("id", "label", "source", "status", "attributed_at", "converted_at")
    return {"items": [{name: getattr(one, name) for name in names} for one in page.items], "next": page.next}


@api.get("/payouts", access="billing", scope="referrals:read", out=PayoutList)
def list_payouts() -> dict[str, Any]:
    here = organisation_id()
    parties = (commissions.party(here, True), commissions.party(here, False))
    found = [one for party in parties for one in billing.payouts(party=party)]
    names = ("id", "amount", "method", "status", "reference", "created_at", "settled_at")
    found.sort(key=lambda one: one.created_at, reverse=True)
    return {"items": [{name: getattr(one, name) for name in names} for one in found]}


def _plain(code: Code, count: numbers.Count) -> dict[str, Any]:
    names = ("id", "code", "programme", "status", "alias", "created_at")
    link = url_for("referral_link.follow", word=code.code, _external=True)
    return {name: getattr(code, name) for name in names} | {
        "link": link, "clicks": count.clicks, "sign_ups": count.sign_ups, "conversions": count.conversions,
    }  # fmt: skip
