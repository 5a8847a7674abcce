"""What actors do, by the verbs that pages and the API use. Each act is one unit of work of its organisation, or more.

An act says in a word how it went; what a verb refuses (ChomError) is for the caller to count. Doing an act again, after
a crash, changes nothing or next to nothing: keys come from the seed.
"""

from __future__ import annotations

from collections.abc import Callable

from chom_core.database import transaction
from chom_core.simulation.acts import buying, money, using
from chom_core.simulation.acts.on import On

__all__ = ["On", "do"]


def do(on: On) -> str:
    """Do it; answers a word: done, declined, or nothing (there was nothing to do it with)."""
    acting, by_staff = _ACTS[on.act.what]
    with transaction(on.tenant_id, on.staff if by_staff else on.owner):
        return acting(on)


#: What an act is called → the verb, and whether the operator's staff does it.
_ACTS: dict[str, tuple[Callable[[On], str], bool]] = {
    "open_shop": (buying.open_shop, False), "settle": (money.settle, True),
    "join": (buying.join, False), "come_back": (buying.come_back, False),
    "upgrade": (buying.upgrade, False), "downgrade": (buying.downgrade, False), "yearly": (buying.yearly, False),
    "add_on": (buying.add_on, False), "drop_add_on": (buying.drop_add_on, False), "quantity": (buying.quantity, False),
    "pause": (buying.pause, False), "cancel": (buying.cancel, False), "coupon": (money.coupon, True),
    "top_up": (money.top_up, False),
    "goodwill": (money.goodwill, True), "promotion": (money.promotion, True), "refund": (money.refund, True),
    "credit_note": (money.credit_note, True), "void": (money.void, True), "new_card": (money.new_card, False),
    "worse_card": (money.worse_card, False), "settle_up": (money.settle_up, False), "use": (using.use, False),
}  # fmt: skip
