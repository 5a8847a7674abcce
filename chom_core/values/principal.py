"""Who acts: a person in an organisation, an API key, a member of staff, or CHOM itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID


class Role(StrEnum):
    """What a person may do in one organisation (CONCEPTS §1)."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"
    BILLING = "billing"


class StaffRole(StrEnum):
    """What a person may do at the operator's desk."""

    ADMIN = "admin"
    SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks. `role` counts in `tenant_id` only; `scopes` limit a key; none means all its role may do."""

    kind: Literal["anonymous", "person", "key", "system"]
    person_id: UUID | None = None
    tenant_id: UUID | None = None
    role: Role | None = None
    staff_role: StaffRole | None = None
    scopes: frozenset[str] = frozenset()
    name: str = ""
    session_id: UUID | None = None

    @property
    def is_staff(self) -> bool:
        return self.staff_role is not None


ANONYMOUS = Principal("anonymous")
SYSTEM = Principal("system", name="CHOM")
