"""Who may call a route, and where the route's organisation comes from. Every route declares one (DESIGN §3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chom_core.values.errors import Refused, Unauthenticated
from chom_core.values.principal import Principal, Role, StaffRole

Who = Literal["public", "person", "viewer", "billing", "member", "admin", "owner", "staff", "staff_admin"]
TenantFrom = Literal["session", "key", "path", "host", "none"]

#: The roles each word lets in. `viewer` means every member of the organisation.
ROLES: dict[str, frozenset[Role]] = {
    "viewer": frozenset(Role),
    "billing": frozenset({Role.OWNER, Role.ADMIN, Role.BILLING}),
    "member": frozenset({Role.OWNER, Role.ADMIN, Role.MEMBER}),
    "admin": frozenset({Role.OWNER, Role.ADMIN}),
    "owner": frozenset({Role.OWNER}),
}


@dataclass(frozen=True, slots=True)
class Access:
    """The declaration: `who` may call, `tenant` says where the organisation is read from, `scope` limits keys."""

    who: Who
    tenant: TenantFrom = "session"
    scope: str = ""

    def check(self, principal: Principal) -> None:
        """Raise Unauthenticated or Refused unless `principal` may call."""
        if self.who == "public":
            return
        if principal.kind == "anonymous":
            raise Unauthenticated("This page needs you to be logged in.", fix="Log in and try again.")
        if self.who == "person":
            allowed = principal.kind == "person"
        elif self.who == "staff":
            allowed = principal.is_staff
        elif self.who == "staff_admin":
            allowed = principal.staff_role is StaffRole.ADMIN
        else:
            allowed = principal.tenant_id is not None and principal.role in ROLES[self.who]
        if not allowed:
            raise Refused(
                f"Your role does not allow this; it takes: {self.words}.",
                fix="Ask an owner or admin of your organisation.",
            )
        if principal.kind == "key" and principal.scopes and self.scope not in principal.scopes:
            lacks = (
                f"lacks the scope {self.scope}" if self.scope else "is limited to scopes; this call has none"
            )
            raise Refused(f"This API key {lacks}.", fix="Make a key that may do this, under API keys.")

    @property
    def words(self) -> str:
        """The roles in words, for the refusal and the OpenAPI document."""
        roles = ROLES.get(self.who)
        if roles is None:
            return self.who.replace("_", " ")
        return ", ".join(role.value for role in Role if role in roles)
