"""The sandbox's book: each call is one transaction of its own, and each key is answered once for ever."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chom_sandbox_gateway.cards import DECLINED, Entered
from chom_sandbox_gateway.models import Call, Card, Charge
from chom_sdk import Conflict, NotFound, clock, transaction, uuid7
from chom_sdk.billing import FollowUp, PaymentRequest, PaymentResult, PaymentStatus
from chom_sdk.work import enqueue

BANK = "/sandbox/bank/"
#: The bank of some cards takes back what their holder has paid.
TAKE_BACK = "sandbox_gateway.take_back"
_STATUS = {
    "waiting": PaymentStatus.REQUIRES_ACTION,
    "held": PaymentStatus.AUTHORISED,
    "taken": PaymentStatus.SUCCEEDED,
    "declined": PaymentStatus.DECLINED,
    "cancelled": PaymentStatus.CANCELLED,
}


def keep_card(customer_id: UUID, entered: Entered) -> Card:
    """Save a card; the same test card of the same customer is the same card."""
    behaviour = entered.card.behaviour
    reference = (
        f"sbx_card_{customer_id.hex[-12:]}_{entered.card.number[-4:]}_{entered.month:02d}{entered.year}"
    )
    values = {
        "id": uuid7(), "created_at": clock.machine(), "reference": reference, "customer_id": customer_id,
        "behaviour": behaviour, "brand": entered.card.brand, "last4": entered.card.number[-4:],
        "expiry_month": entered.month, "expiry_year": entered.year,
    }  # fmt: skip
    with transaction() as here:
        here.execute(insert(Card).values(**values).on_conflict_do_nothing(index_elements=["reference"]))
        return here.scalars(select(Card).where(Card.reference == reference)).one()


def charge(request: PaymentRequest, *, capture: bool) -> PaymentResult:
    """A new charge, or the answer the key already got. The same key with other facts is refused."""
    asked = {
        "action": "charge" if capture else "authorise",
        "amount": request.amount.amount,
        "currency": request.amount.currency,
        "card": request.method,
    }

    def act(here: Session) -> Charge:
        card = here.scalar(select(Card).where(Card.reference == request.method))
        if card is None or card.customer_id != request.tenant_id:
            raise NotFound("The sandbox does not know this card.")
        status, code = _decide(card.behaviour, request, capture=capture)
        made = Charge(
            reference=f"sbx_{secrets.token_urlsafe(24)}", customer_id=request.tenant_id, card=card.reference,
            description=request.description, amount=request.amount.amount, currency=request.amount.currency,
            capture=capture, status=status, code=code, return_url=request.return_url, changed_at=clock.machine(),
        )  # fmt: skip
        here.add(made)
        here.flush()
        if not request.off_session:
            _regretted(card, made, request.key)
        return made

    return _once(request.key, asked, act)


def follow(action: str, request: FollowUp) -> PaymentResult:
    """Capture, cancel or refund, once per key."""
    asked = {
        "action": action,
        "reference": request.reference,
        "amount": request.amount.amount if request.amount else None,
    }

    def act(here: Session) -> Charge:
        found = _locked(here, request.reference)
        if found.customer_id != request.tenant_id:
            raise NotFound("The sandbox has no such charge.")
        _FOLLOW[action](found, request)
        found.changed_at = clock.machine()
        here.flush()
        if action == "capture":
            _regretted(here.scalars(select(Card).where(Card.reference == found.card)).one(), found)
        return found

    return _once(request.key, asked, act)


def look(reference: str) -> PaymentResult:
    """How a charge stands now."""
    with transaction() as here:
        return _result(_find(here, reference))


def shown(reference: str) -> Charge:
    """A charge for its bank page; NotFound where there is none."""
    with transaction() as here:
        return _find(here, reference)


def decide(reference: str, *, approve: bool) -> Charge:
    """What the person did on the bank page. A second click changes nothing."""
    with transaction() as here:
        found = _locked(here, reference)
        if found.status == "waiting":
            found.status = ("taken" if found.capture else "held") if approve else "declined"
            found.code = "" if approve else "authentication_failed"
            found.changed_at = clock.machine()
        return found


def charges(limit: int = 200) -> list[Charge]:
    """The newest charges, for staff."""
    with transaction() as here:
        return list(here.scalars(select(Charge).order_by(Charge.id.desc()).limit(limit)))


def _once(key: str, asked: dict[str, Any], act: Callable[[Session], Charge]) -> PaymentResult:
    """Do `act` under `key` in one transaction. A second caller waits for the first and gets the same answer."""
    with transaction() as here:
        claim = insert(Call).values(id=uuid7(), created_at=clock.machine(), key=key, asked=asked, answer={})
        made = here.scalar(claim.on_conflict_do_nothing(index_elements=["key"]).returning(Call.id))
        call = here.scalars(select(Call).where(Call.key == key)).one()
        if made is None:
            if call.asked != asked:
                raise Conflict(
                    "This idempotency key was used for another request.",
                    fix="Use a key made from what is being paid, and never for two things.",
                )
            return PaymentResult(**{**call.answer, "status": PaymentStatus(call.answer["status"])})
        result = _result(act(here))
        call.answer = {
            "status": result.status.value, "reference": result.reference, "url": result.url, "code": result.code,
            "message": result.message, "fix": result.fix,
        }  # fmt: skip
        return result


def _decide(behaviour: str, request: PaymentRequest, *, capture: bool) -> tuple[str, str]:
    """(status, code) of a new charge on a card of this behaviour."""
    if behaviour in ("declined", "insufficient_funds"):
        return "declined", behaviour
    if behaviour == "second_step":
        return ("declined", "authentication_required") if request.off_session else ("waiting", "")
    if behaviour == "later" and request.off_session:
        return "declined", "insufficient_funds"
    return ("taken" if capture else "held"), ""


def _regretted(card: Card, charge: Charge, key: str = "") -> None:
    """Have the bank take it back where this card's does. `key`: the payment's, whose reference is not known yet."""
    if card.behaviour == "disputed" and charge.status == "taken":
        enqueue(
            TAKE_BACK, {"key": key, "reference": charge.reference}, tenant_id=charge.customer_id,
            key=f"{TAKE_BACK}:{charge.reference}",
        )  # fmt: skip


def _capture(charge: Charge, request: FollowUp) -> None:
    if charge.status != "held":
        raise Conflict(f"This charge is {charge.status}, so nothing can be captured.")
    charge.status = "taken"


def _cancel(charge: Charge, request: FollowUp) -> None:
    if charge.status in ("waiting", "held"):
        charge.status = "cancelled"


def _refund(charge: Charge, request: FollowUp) -> None:
    amount = request.amount.amount if request.amount else charge.amount - charge.refunded
    if charge.status != "taken" or amount <= 0 or charge.refunded + amount > charge.amount:
        raise Conflict("More would be refunded than was paid.")
    charge.refunded += amount


_FOLLOW: dict[str, Callable[[Charge, FollowUp], None]] = {
    "capture": _capture,
    "cancel": _cancel,
    "refund": _refund,
}


def _result(charge: Charge) -> PaymentResult:
    message, fix = DECLINED.get(charge.code, ("", ""))
    return PaymentResult(
        status=_STATUS[charge.status],
        reference=charge.reference,
        url=BANK + charge.reference if charge.status == "waiting" else "",
        code=charge.code,
        message=message,
        fix=fix,
    )


def _find(here: Session, reference: str) -> Charge:
    found: Charge | None = here.scalar(select(Charge).where(Charge.reference == reference))
    if found is None:
        raise NotFound("The sandbox has no such charge.")
    return found


def _locked(here: Session, reference: str) -> Charge:
    query = select(Charge).where(Charge.reference == reference).with_for_update()
    found: Charge | None = here.scalar(query)
    if found is None:
        raise NotFound("The sandbox has no such charge.")
    return found
