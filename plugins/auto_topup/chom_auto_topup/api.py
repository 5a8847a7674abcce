"""Auto top-up over the API."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from chom_sdk import ApiRoutes, NotFound, asked_page, paginate

from . import service
from .models import Attempt
from .pages import values
from .schemas import AttemptPage, RuleIn, RuleOut

api = ApiRoutes("auto_topup", __name__, prefix="/auto-top-up", access="billing")


@api.get("/", scope="auto_topup:read", out=RuleOut)
def read_rule() -> dict[str, Any]:
    """NotFound where no rule was ever set."""
    return _plain()


@api.put("/", scope="auto_topup:write", into=RuleIn, out=RuleOut)
def set_rule(values: dict[str, Any]) -> dict[str, Any]:
    service.save(values)
    return _plain()


@api.post("/resume", scope="auto_topup:write", out=RuleOut, status=200)
def resume() -> dict[str, Any]:
    service.resume()
    return _plain()


@api.get("/history", scope="auto_topup:read", out=AttemptPage)
def history() -> dict[str, Any]:
    after, limit = asked_page()
    page = paginate(select(Attempt), Attempt.id, after=after, limit=limit)
    return {"items": [_attempt(one) for one in page.items], "next": page.next}


def _attempt(of: Attempt) -> dict[str, Any]:
    names = (
        "id", "created_at", "amount", "balance", "currency", "status", "card", "code", "message", "payment_id",
    )  # fmt: skip
    return {name: getattr(of, name) for name in names}


def _plain() -> dict[str, Any]:
    now = service.standing()
    found = values(now.rule)
    if now.rule is None or found is None:
        raise NotFound(_("No rule is set."), fix=_("PUT one."))
    return found | {
        "status": now.status, "currency": now.rule.currency, "balance": now.balance.major,
        "failures": now.rule.failures, "paused_at": now.rule.paused_at,
    }  # fmt: skip
