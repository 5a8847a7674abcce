"""Actions in words, and what changed as «name: a → b»."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from chom_core.audit.models import AuditEntry

LABELS: dict[str, Any] = {
    "organisation.created": _l("Organisation made"),
    "organisation.changed": _l("Organisation changed"),
    "member.invited": _l("Person invited"),
    "member.joined": _l("Person joined"),
    "member.role_changed": _l("Role changed"),
    "member.removed": _l("Person removed"),
    "member.left": _l("Person left"),
    "invitation.resent": _l("Invitation sent again"),
    "invitation.cancelled": _l("Invitation cancelled"),
    "invitation.declined": _l("Invitation declined"),
    "api_key.created": _l("API key made"),
    "api_key.revoked": _l("API key revoked"),
    "person.signed_up": _l("Person signed up"),
    "person.logged_in": _l("Person logged in"),
    "person.changed": _l("Profile changed"),
    "person.password_changed": _l("Password changed"),
    "person.password_reset": _l("Password reset"),
    "session.revoked": _l("Session ended"),
    "service.create": _l("Service ordered"),
    "service.start": _l("Service started"),
    "service.stop": _l("Service stopped"),
    "service.restart": _l("Service restarted"),
    "service.delete": _l("Service deleted"),
    "subscription.activated": _l("Plan active"),
    "subscription.cancelled": _l("Plan cancelled"),
    "subscription.kept": _l("Plan kept after all"),
    "subscription.ended": _l("Plan ended"),
    "subscription.changed": _l("Plan changed"),
    "subscription.change_scheduled": _l("Change of a plan scheduled"),
    "subscription.change_cancelled": _l("Change of a plan taken back"),
    "subscription.paused": _l("Plan paused"),
    "subscription.resumed": _l("Plan resumed"),
    "subscription.billing_day_changed": _l("Billing day changed"),
    "subscription.repriced": _l("Plan moved to today's prices"),
    "catalogue.priced": _l("Price set"),
    "node.removed": _l("Node removed"),
    "catalogue.limited": _l("Limits of use set"),
    "billing.wishes_changed": _l("How it is billed changed"),
    "catalogue.switched": _l("Plan put on or off sale"),
    "catalogue.repriced": _l("Customers moved to today's prices"),
    "coupon.made": _l("Coupon made"),
    "coupon.code_added": _l("Promotion code added"),
    "coupon.granted": _l("Coupon given"),
    "coupon.retired": _l("Coupon retired"),
    "everyone.entered": _l("Every organisation looked at"),
}
ACTORS = {"system": _l("CHOM"), "key": _l("API key"), "staff": _l("staff"), "anonymous": _l("a visitor")}


def action_label(action: str) -> str:
    """The action in words; an unknown one is taken apart: «plugin.switched_on» → «Plugin: switched on»."""
    if action in LABELS:
        return str(LABELS[action])
    topic, _dot, what = action.partition(".")
    return f"{topic} : {what}".replace(" :", ":").replace("_", " ").strip(": ").capitalize()


def actor_label(entry: AuditEntry) -> str:
    """Who it was: a name, and what kind of actor where it is no member."""
    kind = ACTORS.get(entry.actor_kind)
    if kind is None:
        return entry.actor_name or "—"
    return f"{entry.actor_name} ({kind})" if entry.actor_name and entry.actor_name != str(kind) else str(kind)


def differences(entry: AuditEntry) -> list[str]:
    """What changed, a line for each name."""
    before, after = entry.before or {}, entry.after or {}
    lines = []
    for name in dict.fromkeys([*before, *after]):
        old, new = _shown(before.get(name)), _shown(after.get(name))
        if old == new:
            continue
        title = name.replace("_", " ")
        lines.append(
            f"{title}: {old} → {new}" if name in before and name in after else f"{title}: {new or old}"
        )
    return lines


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "—"
    return str(value)
