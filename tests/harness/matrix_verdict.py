"""What a call must be answered, worked out from the route's declaration alone and not with the app's own code."""

from __future__ import annotations

from chom_core.rest.access import Declared
from chom_core.values.principal import Role
from chom_sdk.testing.surfaces import Call
from tests.harness.matrix_world import Caller, Home

#: Who each word lets in (CONCEPTS §1), written down a second time on purpose.
LETS_IN = {
    "viewer": {Role.OWNER, Role.ADMIN, Role.MEMBER, Role.VIEWER, Role.BILLING},
    "billing": {Role.OWNER, Role.ADMIN, Role.BILLING},
    "member": {Role.OWNER, Role.ADMIN, Role.MEMBER},
    "admin": {Role.OWNER, Role.ADMIN},
    "owner": {Role.OWNER},
}
REFUSED = frozenset({403})
STRANGER = frozenset({401, 303})
#: A write that the caller may make, with whatever the domain says to it.
ANSWERED = frozenset({200, 201, 202, 204, 303, 400, 402, 403, 404, 409, 410, 413, 415, 422, 429, 501, 503})
READ = frozenset({200, 204, 303, 308, 404, 409, 410, 422, 503})
#: What is another's does not exist, whatever is sent along.
HIDDEN = frozenset({404, 422, 400})
SAFE = ("GET", "HEAD", "OPTIONS")
#: Where a reseller reads what its customers owe, and decides about it.
OF_CUSTOMERS = ("/billing/reselling/unpaid", "/api/v1/billing/selling/unpaid")


def expected(call: Call, caller: Caller, *, on: bool, foreign: bool) -> frozenset[int]:
    """The statuses that are right. `on`: is the route's plugin on for the caller; `foreign`: are the ids another's?"""
    declared: Declared = call.declared
    who = declared.access.who
    if declared.bare and who == "public":
        return ANSWERED | {401} if call.allowed else frozenset({405})
    if caller.kind == "revoked":
        return frozenset({401}) if call.is_api or call.method != "GET" else STRANGER
    nobody = caller.kind == "anonymous" or (call.is_api and caller.kind in ("person", "staff"))
    if declared.plugin is not None:
        if nobody and who != "public":
            return STRANGER
        if not on:
            return frozenset({404})
    if not call.allowed:
        return frozenset({405})
    if who != "public":
        if nobody:
            return STRANGER
        if not _let_in(who, caller):
            return REFUSED
        if caller.scopes and declared.access.scope not in caller.scopes:
            return REFUSED
    if caller.kind == "key" and call.method not in SAFE and not call.is_api:
        return REFUSED | ANSWERED  # a program has no form token
    if call.method == "OPTIONS":
        return frozenset({200})
    if foreign and declared.access.who not in ("public", "staff", "staff_admin"):
        return HIDDEN if call.method in SAFE else HIDDEN | {403, 409}
    if who == "public":
        return (
            ANSWERED  # open to strangers: a refusal of the domain's own (buying takes a role) hides nothing
        )
    return READ if call.method in SAFE else ANSWERED


def may_see_all(call: Call, caller: Caller) -> bool:
    """Staff at the operator's desk, and in the platform's own activity: that log holds everybody's log-ins."""
    return caller.kind == "staff" and (
        call.declared.access.who.startswith("staff") or call.endpoint == "audit.activity"
    )


def may_enter(call: Call, caller: Caller, home: Home) -> bool:
    """Its own organisation; on a few pages a reseller its customers. Of nobody else it may see or change a thing."""
    sells = home.seller is not None and home.seller is caller.home
    return home is caller.home or (sells and call.rule.startswith(OF_CUSTOMERS))


def _let_in(who: str, caller: Caller) -> bool:
    if who == "staff":
        return caller.kind == "staff"
    if who == "staff_admin":
        return caller.kind == "staff" and caller.staff_admin
    if who == "person":
        return caller.kind in ("person", "staff")
    return caller.role in LETS_IN[who]
