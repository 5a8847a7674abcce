"""The order of roles: who may give which. It follows from what each role may do, so it cannot disagree with it."""

from __future__ import annotations

from chom_core.values.access import ROLES
from chom_core.values.principal import Role

#: What each role is let into: the words of Access that name it.
RIGHTS: dict[Role, frozenset[str]] = {
    role: frozenset(word for word, allowed in ROLES.items() if role in allowed) for role in Role
}
#: Roles a key may have: an owner's powers stay with people.
KEY_ROLES = tuple(role for role in Role if role is not Role.OWNER)


def covers(one: Role, other: Role) -> bool:
    """Whether `one` may do everything `other` may. `member` and `billing` cover neither each other."""
    return RIGHTS[one] >= RIGHTS[other]


def may_manage(role: Role | None) -> bool:
    """Whether this role manages people and keys at all."""
    return role in ROLES["admin"]


def grantable(by: Role | None) -> tuple[Role, ...]:
    """The roles that `by` may give, take away or change: none above itself."""
    if by is None or not may_manage(by):
        return ()
    return tuple(role for role in Role if covers(by, role))
