"""Coupons: staff make them and their codes; customers redeem them. Who gets the last one is decided by one UPDATE."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from chom_core.audit.service import Subject
from chom_core.audit.service import record as audit
from chom_core.billing.models import (
    Coupon,
    CouponCount,
    CouponRedemption,
    Invoice,
    PromotionCode,
    Subscription,
)
from chom_core.billing.rules.coupons import Duration
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.invoicing.sellers import reseller_id
from chom_core.billing.service.offers import discounts
from chom_core.billing.service.offers.discounts import Held
from chom_core.database import PLATFORM_ID, clock, current, session
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.values.ids import uuid7
from chom_core.values.money import Money

MOST = 1_000_000
CODE = 40


def make(
    name: str,
    *,
    percent: Decimal | None = None,
    amount: Money | None = None,
    duration: Duration = Duration.ONCE,
    repeats: int | None = None,
    plans: Sequence[str] = (),
    stacks: bool = True,
    max_redemptions: int | None = None,
    per_customer: int | None = 1,
    starts_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> Coupon:
    """A coupon of the current organisation (platform or reseller). Raises Invalid with `fields`."""
    owner = current().tenant_id or PLATFORM_ID
    errors = _wrong(name, percent, amount, duration, repeats, max_redemptions, per_customer)
    if starts_at and expires_at and expires_at <= starts_at:
        errors["expires_at"] = [_("After it starts.")]
    if not errors and session().scalar(select(Coupon.id).filter_by(reseller_id=owner, name=name.strip())):
        errors["name"] = [_("There is a coupon of this name.")]
    if errors:
        raise Invalid(_("The coupon is not complete."), fields=errors)
    made = Coupon(
        reseller_id=owner, name=name.strip(), percent=percent, amount=amount.amount if amount else None,
        currency=amount.currency if amount else "", duration=duration.value, repeats=repeats, plans=list(plans),
        stacks=stacks, max_redemptions=max_redemptions, per_customer=per_customer, starts_at=starts_at,
        expires_at=expires_at,
    )  # fmt: skip
    session().add(made)
    session().flush()
    audit("coupon.made", Subject("coupon", made.id, made.name))
    return made


def add_code(
    coupon_id: UUID,
    code: str,
    *,
    max_redemptions: int | None = None,
    first_time: bool = False,
    expires_at: datetime | None = None,
) -> PromotionCode:
    """A word that redeems the coupon. Letters, digits and hyphens; capitals and small letters are the same."""
    owner = current().tenant_id or PLATFORM_ID
    coupon = session().scalar(select(Coupon).filter_by(id=coupon_id, reseller_id=owner))
    if coupon is None:
        raise NotFound(_("There is no such coupon."))
    word = normal(code)
    if not 2 <= len(word) <= CODE or not word.replace("-", "").isalnum() or not word.isascii():
        raise Invalid(
            _("This is no code."),
            fields={"code": [_("2 to %(most)s letters, digits and hyphens.", most=CODE)]},
        )
    if max_redemptions is not None and not 0 < max_redemptions <= MOST:
        raise Invalid(_("This is no limit."), fields={"max_redemptions": [_("1 or more.")]})
    if session().scalar(select(PromotionCode.id).filter_by(reseller_id=owner, code=word)):
        raise Conflict(_("The code %(code)s is taken.", code=word), fix=_("Choose another one."))
    made = PromotionCode(
        reseller_id=owner, coupon_id=coupon.id, code=word, max_redemptions=max_redemptions, first_time=first_time,
        expires_at=expires_at,
    )  # fmt: skip
    session().add(made)
    session().flush()
    audit("coupon.code_added", Subject("coupon", coupon.id, coupon.name), after={"code": word})
    return made


def retire(coupon_id: UUID) -> Coupon:
    """Nobody can redeem it any more. Who has it keeps it."""
    owner = current().tenant_id or PLATFORM_ID
    coupon = session().scalar(select(Coupon).filter_by(id=coupon_id, reseller_id=owner))
    if coupon is None:
        raise NotFound(_("There is no such coupon."))
    coupon.active = False
    session().flush()
    audit("coupon.retired", Subject("coupon", coupon.id, coupon.name))
    return coupon


def normal(code: str) -> str:
    """The code as it is stored, whatever the person typed."""
    return code.strip().upper()[: CODE + 1]


def offered(code: str, plan: str, currency: str, subscription_id: UUID | None = None) -> Held:
    """What the code would take off, for a preview; nothing is written. Raises Invalid where it takes nothing off."""
    word, coupon = _redeemable(code, plan, currency, trying=True)
    mine = _on_open_purchases(coupon)
    for subject, limit in ((coupon.id, coupon.max_redemptions), (word.id, word.max_redemptions)):
        count = session().scalar(select(CouponCount.redeemed).where(CouponCount.subject_id == subject))
        if limit is not None and (count or 0) - mine >= limit:
            raise _gone()
    return discounts.of_terms(coupon, coupon.id, subscription_id)


def redeem(code: str, plan: str, currency: str, subscription_id: UUID | None) -> CouponRedemption:
    """Redeem a code, for one subscription or (None) for all of the customer's. Exactly one gets the last.

    The caller's transaction holds it: where it rolls back, nothing is redeemed.
    """
    sellers.lock_profile()
    word, coupon = _redeemable(code, plan, currency)
    for subject, limit in ((coupon.id, coupon.max_redemptions), (word.id, word.max_redemptions)):
        _count(subject, limit)
    return _given(coupon, subscription_id, word)


def grant(coupon_id: UUID, subscription_id: UUID | None = None) -> CouponRedemption:
    """Give the current organisation a coupon of its seller without a code: what staff and programmes do."""
    sellers.lock_profile()
    coupon = session().scalar(
        select(Coupon).where(Coupon.id == coupon_id, Coupon.reseller_id == reseller_id())
    )
    if coupon is None or not coupon.active:
        raise NotFound(_("There is no such coupon."))
    _count(coupon.id, coupon.max_redemptions)
    given = _given(coupon, subscription_id, None)
    audit("coupon.granted", Subject("coupon", coupon.id, coupon.name))
    return given


def release(subscription_id: UUID) -> None:
    """A purchase came to nothing: what was redeemed for it goes back to the pile."""
    query = select(CouponRedemption).where(
        CouponRedemption.subscription_id == subscription_id, CouponRedemption.status == "active"
    )
    for row in session().scalars(query).all():
        row.status = "released"
        subjects = [one for one in (row.coupon_id, row.promotion_code_id) if one is not None]
        session().execute(
            update(CouponCount)
            .where(CouponCount.subject_id.in_(subjects), CouponCount.redeemed > 0)
            .values(redeemed=CouponCount.redeemed - 1)
        )
    session().flush()


def _given(coupon: Coupon, subscription_id: UUID | None, word: PromotionCode | None) -> CouponRedemption:
    given = CouponRedemption(
        tenant_id=current().tenant_id, coupon_id=coupon.id, promotion_code_id=word.id if word else None,
        subscription_id=subscription_id, name=coupon.name, code=word.code if word else "", percent=coupon.percent,
        amount=coupon.amount, currency=coupon.currency, duration=coupon.duration, repeats=coupon.repeats,
        plans=list(coupon.plans), stacks=coupon.stacks, redeemed_at=clock.now(),
    )  # fmt: skip
    session().add(given)
    session().flush()
    return given


def _count(subject: UUID, limit: int | None) -> None:
    """One more redemption, where there is room: the database decides, and the counter's row puts redeemers in line."""
    row = insert(CouponCount).values(id=uuid7(), created_at=clock.machine(), subject_id=subject, redeemed=1)
    counted = session().scalar(
        row.on_conflict_do_update(
            index_elements=["subject_id"],
            set_={"redeemed": CouponCount.redeemed + 1},
            where=CouponCount.redeemed < (limit if limit is not None else 2**31 - 1),
        ).returning(CouponCount.redeemed)
    )
    if counted is None:
        raise _gone()


def _redeemable(code: str, plan: str, currency: str, *, trying: bool = False) -> tuple[PromotionCode, Coupon]:
    now = clock.now()
    query = (
        select(PromotionCode, Coupon)
        .join(Coupon, Coupon.id == PromotionCode.coupon_id)
        .where(PromotionCode.code == normal(code), PromotionCode.reseller_id == reseller_id())
    )
    found = session().execute(query).one_or_none()
    if found is None or not found[0].active or not found[1].active:
        raise _refused(_("There is no such code. Look at how it is spelled."))
    word, coupon = found[0], found[1]
    if coupon.starts_at is not None and now < coupon.starts_at:
        raise _refused(_("This code is not valid yet."))
    if any(end is not None and now >= end for end in (coupon.expires_at, word.expires_at)):
        raise _refused(_("This code has expired."))
    if coupon.plans and plan not in coupon.plans:
        raise _refused(_("This code is for other plans."))
    if coupon.currency and coupon.currency != currency:
        raise _refused(_("This code is for prices in %(currency)s.", currency=coupon.currency))
    _within_customers_limits(word, coupon, _on_open_purchases(coupon) if trying else 0)
    return word, coupon


def _on_open_purchases(coupon: Coupon) -> int:
    """Redemptions of a plan whose card was declined: the next press of the button lets them go first."""
    query = (
        select(func.count(CouponRedemption.id))
        .join(Subscription, Subscription.id == CouponRedemption.subscription_id)
        .where(
            CouponRedemption.coupon_id == coupon.id,
            CouponRedemption.status == "active",
            Subscription.status == "incomplete",
            Subscription.shape == "hosting",
        )
    )
    return session().scalar(query) or 0


def _within_customers_limits(word: PromotionCode, coupon: Coupon, mine_again: int) -> None:
    mine = select(func.count(CouponRedemption.id)).where(
        CouponRedemption.coupon_id == coupon.id, CouponRedemption.status != "released"
    )
    used = (session().scalar(mine) or 0) - mine_again
    if coupon.per_customer is not None and used >= coupon.per_customer:
        raise _refused(_("You have used this code already."))
    bought = select(Invoice.id).where(Invoice.number.is_not(None), Invoice.amount_paid > 0).limit(1)
    if word.first_time and session().scalar(bought) is not None:
        raise _refused(_("This code is for new customers."))


def _gone() -> Invalid:
    return _refused(_("This code is used up: it was redeemed as often as it may be."))


def _refused(why: str) -> Invalid:
    return Invalid(why, fix=_("Take it out, or enter another one."), fields={"promotion_code": [why]})


def _wrong(
    name: str,
    percent: Decimal | None,
    amount: Money | None,
    duration: Duration,
    repeats: int | None,
    max_redemptions: int | None,
    per_customer: int | None,
) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not 0 < len(name.strip()) <= 120:
        errors["name"] = [_("1 to 120 characters.")]
    if (percent is None) == (amount is None):
        errors["percent"] = [_("Either a percentage or an amount.")]
    elif percent is not None and not (percent.is_finite() and 0 < percent <= 100):
        errors["percent"] = [_("Above 0, at most 100.")]
    elif amount is not None and not 0 < amount.amount <= 10**12:
        errors["amount"] = [_("Above 0.")]
    if (duration is Duration.REPEATING) != (repeats is not None) or (
        repeats is not None and not 0 < repeats <= 120
    ):
        errors["repeats"] = [_("For how many invoices, 1 to 120; only for coupons that repeat.")]
    for field, value in (("max_redemptions", max_redemptions), ("per_customer", per_customer)):
        if value is not None and not 0 < value <= MOST:
            errors[field] = [_("1 or more, or leave it empty.")]
    return errors
