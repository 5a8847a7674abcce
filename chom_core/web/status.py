"""One vocabulary of states for the whole app: each has a tone, an icon and a word, never a colour alone."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from markupsafe import Markup


class Look(NamedTuple):
    """How one state shows. `tone` is neutral, info, good, warn or bad."""

    tone: str
    icon: str
    label: object


LOOKS: dict[str, Look] = {
    "pending": Look("neutral", "clock", _l("Pending")),
    "queued": Look("neutral", "clock", _l("Queued")),
    "waiting": Look("neutral", "clock", _l("Waiting")),
    "scheduled": Look("info", "calendar-event", _l("Scheduled")),
    "building": Look("info", "loader-2", _l("Building")),
    "running": Look("info", "loader-2", _l("Running")),
    "restoring": Look("info", "history", _l("Restoring")),
    "deleting": Look("warn", "trash", _l("Deleting")),
    "active": Look("good", "circle-check", _l("Active")),
    "healthy": Look("good", "circle-check", _l("Healthy")),
    "verified": Look("good", "shield-check", _l("Verified")),
    "done": Look("good", "check", _l("Done")),
    "sent": Look("good", "send", _l("Sent")),
    "delivered": Look("good", "check", _l("Delivered")),
    "paid": Look("good", "circle-check", _l("Paid")),
    "succeeded": Look("good", "circle-check", _l("Succeeded")),
    "authorised": Look("info", "clock", _l("Held")),
    "requires_action": Look("warn", "alert-triangle", _l("Waits for you")),
    "declined": Look("bad", "circle-x", _l("Declined")),
    "undone": Look("neutral", "history", _l("Taken back")),
    "deleted": Look("neutral", "trash", _l("Deleted")),
    "on": Look("good", "toggle-right", _l("On")),
    "off": Look("neutral", "toggle-left", _l("Off")),
    "approved": Look("good", "circle-check", _l("Approved")),
    "in_review": Look("info", "eye", _l("In review")),
    "rejected": Look("bad", "circle-x", _l("Rejected")),
    "trialing": Look("info", "hourglass", _l("Trial")),
    "draft": Look("neutral", "pencil", _l("Draft")),
    "open": Look("info", "receipt", _l("Open")),
    "past_due": Look("bad", "alert-circle", _l("Past due")),
    "void": Look("neutral", "circle-minus", _l("Void")),
    "uncollectible": Look("bad", "circle-x", _l("Uncollectible")),
    "refunded": Look("neutral", "receipt-refund", _l("Refunded")),
    "disputed": Look("warn", "alert-triangle", _l("Disputed")),
    "needs_answer": Look("warn", "alert-triangle", _l("Needs an answer")),
    "sending": Look("info", "send", _l("Being sent")),
    "with_bank": Look("info", "clock", _l("With the bank")),
    "won": Look("good", "circle-check", _l("Won")),
    "lost": Look("bad", "circle-x", _l("Lost")),
    "refused": Look("bad", "circle-x", _l("Refused")),
    "stopped": Look("neutral", "player-stop", _l("Stopped")),
    "suspended": Look("warn", "player-pause", _l("Suspended")),
    "degraded": Look("warn", "alert-triangle", _l("Degraded")),
    "unverified": Look("warn", "shield-x", _l("Unverified")),
    "tripped": Look("bad", "bolt", _l("Tripped")),
    "failed": Look("bad", "circle-x", _l("Failed")),
    "cancelled": Look("neutral", "circle-minus", _l("Cancelled")),
    "ended": Look("neutral", "archive", _l("Ended")),
    "expired": Look("neutral", "clock", _l("Expired")),
    "unknown": Look("neutral", "help-circle", _l("Unknown")),
}


def look(state: object) -> Look:
    """The look of a state (a string or a StrEnum member). A word nobody declared shows as itself, neutral."""
    name = name_of(state)
    return LOOKS.get(name) or Look("neutral", "point", name.replace("_", " ").capitalize())


def status(state: object, label: str = "") -> Markup:
    """The badge of a state. Cheap enough for a cell of a long list: one dictionary look-up after the first."""
    return badge(name_of(state), label, str(get_locale()))


def name_of(state: object) -> str:
    return str(getattr(state, "value", state) or "unknown")


@lru_cache(maxsize=1024)
def badge(name: str, label: str, _locale: str) -> Markup:
    """The badge in one language."""
    from chom_core.web.layout import icon

    tone, picture, word = look(name)
    return Markup('<span class="status status-{}">{}{}</span>').format(
        tone, icon(picture), label or str(word)
    )
