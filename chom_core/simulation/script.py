"""What an actor does in a month: drawn from the seed alone. Whether it can be done is for the verbs to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chom_core.simulation.cast import Actor

#: Act → how likely it is in a month, for somebody who has a plan.
LIKELY: tuple[tuple[str, float], ...] = (
    ("upgrade", 0.05), ("downgrade", 0.02), ("yearly", 0.01), ("add_on", 0.06), ("drop_add_on", 0.02),
    ("quantity", 0.05), ("coupon", 0.02), ("top_up", 0.03), ("goodwill", 0.01), ("promotion", 0.02), ("refund", 0.015),
    ("credit_note", 0.015), ("pause", 0.006), ("new_card", 0.02), ("worse_card", 0.015), ("void", 0.003),
)  # fmt: skip
REASONS = (
    "Too expensive", "Missing a feature", "Switched to another host", "Closing the business",
    "Only needed it for a while", "Support was too slow", "Did not use it",
)  # fmt: skip
#: How many hours lie between two looks at use, at least: a batch goes in at each look.
LOOKS = 2


@dataclass(frozen=True, slots=True)
class Act:
    """Something at an instant. `facts` are the draws it needs, 0 ≤ x < 1 or what it says."""

    at: datetime
    what: str
    key: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def month(actor: Actor, number: int, start: datetime, end: datetime, months: int) -> list[Act]:
    """The acts of month `number` in the order of time, within [start, end)."""
    chance = actor.random("month", number)
    if actor.kind == "reseller":
        what = "open_shop" if number == actor.joins else "settle"
        return [_at(actor, number, start, what, {})] if number >= actor.joins else []
    span = (end - start).total_seconds()
    begin = 0.0
    made: list[Act] = []

    def add(what: str, low: float = 0.02, **facts: Any) -> None:
        part = low + (0.97 - low) * chance.random()
        at = start + timedelta(minutes=int(span * max(part, begin) // 60))
        made.append(_at(actor, number, at, what, {"draw": chance.random(), **facts}))

    if number == actor.joins:
        begin = 0.05 + 0.6 * chance.random()
        made.append(
            _at(actor, number, start + timedelta(minutes=int(span * begin // 60)), "join",
                {"draw": chance.random(), "fails": chance.random() < 0.07, "returns": chance.random() < 0.7,
                 "coupon": chance.random() < 0.25, "yearly": chance.random() < 0.12})
        )  # fmt: skip
        begin += 0.05
    elif number > actor.joins:
        for what, likely in LIKELY:
            if chance.random() < likely * (
                1.5 if what in ("upgrade", "add_on") and number > months / 2 else 1
            ):
                add(what)
        # churn falls from 8 to 5 % over the months
        if chance.random() < 0.08 - 0.03 * number / max(1, months):
            add("cancel", reason=chance.choice(REASONS), now=chance.random() < 0.15)
        if chance.random() < 0.08:
            add("come_back")
        add("settle_up", 0.6)
    for look in range(LOOKS):
        add("use", look / LOOKS, growth=number - actor.joins, span=span / LOOKS)
    return sorted(made, key=lambda act: (act.at, act.key))


def _at(actor: Actor, number: int, at: datetime, what: str, facts: Mapping[str, Any]) -> Act:
    return Act(at, what, f"sim-{actor.seed}-{actor.number}-{number}-{what}-{at:%d%H%M}", facts)
