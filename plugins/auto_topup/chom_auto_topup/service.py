"""The verbs on the rule: set it, read it, go on after a pause. Charging is in `charging`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from chom_sdk import Conflict, Invalid, Money, billing, clock, organisation_id, principal, session
from chom_sdk.audit import Subject, record
from chom_sdk.work import enqueue

from .models import Attempt, Rule

CHECK, STOP = "auto_topup.check", "auto_topup.stop"


@dataclass(frozen=True, slots=True)
class Standing:
    """The rule with what it looks at. `status`: off, on, retrying, paused."""

    rule: Rule | None
    balance: Money
    topped_up: Money
    status: str

    def money(self, name: str) -> Money | None:
        """An amount of the rule."""
        found = getattr(self.rule, name, None)
        return None if self.rule is None or found is None else Money(found, self.rule.currency)


def rule(*, lock: bool = False) -> Rule | None:
    """The organisation's rule, where it has one. `lock` reads it afresh and holds it until commit."""
    query = select(Rule)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found: Rule | None = session().scalar(query)
    return found


def standing() -> Standing:
    """For pages and the API."""
    found = rule()
    currency = found.currency if found else billing.billing_currency()
    return Standing(found, billing.account_credit(currency).account, topped_up(currency), status(found))


def status(of: Rule | None) -> str:
    if of is None or not of.enabled:
        return "off"
    if of.paused_at is not None:
        return "paused"
    return "retrying" if of.failures else "on"


def topped_up(currency: str) -> Money:
    """What top-ups have added in this calendar month (UTC), and what one on its way may add."""
    first = datetime.combine(clock.now().astimezone(UTC).date().replace(day=1), time(), UTC)
    query = select(func.coalesce(func.sum(Attempt.amount), 0)).where(
        Attempt.created_at >= first, Attempt.status != "declined", Attempt.currency == currency
    )
    return Money(int(session().scalar(query) or 0), currency)


def save(values: Mapping[str, Any]) -> Rule:
    """Set the rule, and look at the balance at once. A changed rule goes on where it was paused. Invalid (fields)."""
    currency = billing.billing_currency()
    facts = _amounts(values, currency) | {
        "enabled": values["enabled"],
        "method_id": _card(values["method_id"]),
    }
    found = rule(lock=True)
    before = None if found is None else {name: _plain(getattr(found, name)) for name in facts}
    if found is None:
        found = Rule(
            tenant_id=organisation_id(), currency=currency, crossing=0, failures=0, **facts, **_who()
        )
        session().add(found)
    else:
        for name, value in (facts | _who() | {"currency": currency}).items():
            setattr(found, name, value)
        _anew(found)
    session().flush()
    after = {name: _plain(value) for name, value in facts.items()}
    record("auto_topup.set", Subject("auto_topup", found.id, _("Auto top-up")), before=before, after=after)
    look()
    return found


def resume() -> Rule:
    """Go on after a pause, or ask the card again today. Conflict where there is nothing to resume."""
    found = rule(lock=True)
    if found is None or not found.enabled or status(found) == "on":
        raise Conflict(_("Nothing is paused."), fix=_("Reload the page."))
    _anew(found)
    session().flush()
    record("auto_topup.resumed", Subject("auto_topup", found.id, _("Auto top-up")))
    look()
    return found


def look() -> None:
    """Look at the balance, in a job."""
    enqueue(CHECK)


def history(limit: int = 50) -> list[Attempt]:
    """The newest attempts first."""
    return list(session().scalars(select(Attempt).order_by(Attempt.id.desc()).limit(limit)))


def _anew(of: Rule) -> None:
    """Another round of tries, with keys of its own."""
    if of.failures:
        of.crossing += 1
    of.failures, of.tried_on, of.paused_at = 0, None, None


def _who() -> dict[str, Any]:
    return {"agreed_by": (principal().name or "API")[:120], "agreed_at": clock.now()}


def _amounts(values: Mapping[str, Any], currency: str) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    wrong: dict[str, list[str]] = {}
    for name in ("threshold", "amount", "cap"):
        given: Decimal | None = values[name]
        try:
            found[name] = None if given is None else Money.of(given, currency).amount
        except ValueError:
            wrong[name] = [_("An amount in %(currency)s, for example 50.", currency=currency)]
    cap, amount = found.get("cap"), found.get("amount")
    if cap is not None and amount is not None and cap < amount:
        wrong["cap"] = [_("At least one top-up must fit into it.")]
    if wrong:
        raise Invalid(_("This rule cannot be."), fields=wrong)
    return found


def _card(method_id: Any) -> Any:
    if method_id is not None and all(card.id != method_id for card in billing.cards()):
        raise Invalid(_("This card is not on file."), fields={"method_id": [_("Choose one of the list.")]})
    return method_id


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int) else str(value)
