"""Who sent a newcomer: the last link they followed, within the window, unless they sent themselves.

The link's page sets a signed cookie. At sign-up `arrival_facts` reads it, CHOM keeps what it says while the address is
being proved, and `organisation.created` brings it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy.dialects.postgresql import insert

from chom_sdk import billing, clock, session, settings, uuid7
from chom_sdk.notifications import notify, phrase

from . import codes
from .models import Code, Referral
from .terms import of_settings

COOKIE = "chom_referral"


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="referrals")


def cookie(code: Code, source: str) -> str:
    """What the browser keeps: the link, when it was followed, and from where."""
    return _signer().dumps({"code": code.code, "at": int(clock.now().timestamp()), "source": source})


def read_cookie(text: str) -> dict[str, str] | None:
    """The same, where it is ours and unchanged."""
    try:
        held = _signer().loads(text)
        return {"code": str(held["code"]), "at": str(int(held["at"])), "source": str(held["source"])}
    except (BadData, KeyError, TypeError, ValueError):
        return None


def attribute(newcomer: UUID, name: str, brought: Mapping[str, Any]) -> Referral | None:
    """Remember who sent `newcomer`, once for ever; None where nobody did, or the click is too old.

    Who sent themselves (one person, address or card in both organisations) is kept as refused: staff see it.
    """
    code = codes.active(str(brought.get("code", "")))
    clicked_at = _instant(brought.get("at"))
    values, now = settings.read("referrals"), clock.now()
    if code is None or clicked_at is None or now - clicked_at > timedelta(days=values["window_days"]):
        return None
    found = billing.relation(code.owner_id, newcomer)
    if not found.same_seller and not found.same_organisation:
        return None
    row = {
        "id": uuid7(), "created_at": now, "code_id": code.id, "referrer_id": code.owner_id, "referred_id": newcomer,
        "label": hint(name), "source": str(brought.get("source", ""))[:60],
        "status": "refused" if found.themselves else "pending", "why": found.themselves,
        "terms": of_settings(values, code.programme, code.percent).as_json(), "clicked_at": clicked_at,
        "attributed_at": now, "converted_at": None, "discount_from": None,
    }  # fmt: skip
    made = session().scalar(
        insert(Referral)
        .values(**row)
        .on_conflict_do_nothing(index_elements=["referred_id"])
        .returning(Referral.id)
    )
    if made is None:
        return None
    referral = session().get_one(Referral, made)
    if referral.status == "pending":
        notify(
            "referrals.joined",
            title=phrase("Somebody signed up by your link"),
            body=phrase("You earn as soon as they pay their first invoice."),
            link="/referrals/",
            tenant_id=code.owner_id,
            key=f"joined:{referral.id}",
        )
    return referral


def hint(name: str) -> str:
    """What the referrer sees of a newcomer's name: its first letter."""
    return f"{name.strip()[:1].upper() or '?'}•••"


def _instant(stamp: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(stamp), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
