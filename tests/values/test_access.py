"""Access: the table of who may call what, read from CONCEPTS and not from the code that it tests."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chom_core.values import ANONYMOUS, SYSTEM, Access, ChomError, Principal, Refused, Role, StaffRole, uuid7
from chom_core.values.access import ROLES, Who

WORDS: tuple[Who, ...] = get_args(Who)
#: Rows: who calls. Columns: viewer, billing, member, admin, owner.
TABLE = {
    Role.OWNER: (True, True, True, True, True),
    Role.ADMIN: (True, True, True, True, False),
    Role.MEMBER: (True, False, True, False, False),
    Role.BILLING: (True, True, False, False, False),
    Role.VIEWER: (True, False, False, False, False),
}
COLUMNS: tuple[Who, ...] = ("viewer", "billing", "member", "admin", "owner")
SCOPES = st.frozensets(st.sampled_from(["sites:read", "sites:write", "billing:read"]))
PRINCIPALS = st.builds(
    Principal,
    kind=st.sampled_from(["anonymous", "person", "key", "system"]),
    person_id=st.none() | st.uuids(),
    tenant_id=st.none() | st.uuids(),
    role=st.none() | st.sampled_from(Role),
    staff_role=st.none() | st.sampled_from(StaffRole),
    scopes=SCOPES,
)


def answer(access: Access, principal: Principal) -> int:
    """The status of the refusal, or 200."""
    try:
        access.check(principal)
    except ChomError as error:
        return error.status
    return 200


def member(role: Role, **more: Any) -> Principal:
    return replace(Principal("person", person_id=uuid7(), tenant_id=uuid7(), role=role), **more)


@pytest.mark.parametrize("role", Role)
def test_the_table_of_roles(role: Role) -> None:
    for kind in ("person", "key"):
        allowed = tuple(answer(Access(who), member(role, kind=kind)) == 200 for who in COLUMNS)
        assert allowed == TABLE[role]


def test_the_words_are_a_lattice() -> None:
    """Owner below admin, admin below billing and member, both below viewer; admin is where those two meet."""
    assert set(ROLES) == set(COLUMNS)
    assert ROLES["owner"] < ROLES["admin"] < ROLES["member"] < ROLES["viewer"]
    assert ROLES["admin"] < ROLES["billing"] < ROLES["viewer"]
    assert ROLES["billing"] & ROLES["member"] == ROLES["admin"]
    assert all(ROLES[a] & ROLES[b] in ROLES.values() for a, b in product(COLUMNS, COLUMNS))
    assert ROLES["viewer"] == set(Role)


@given(PRINCIPALS, st.sampled_from(COLUMNS), st.sampled_from(COLUMNS), st.sampled_from(["", "sites:read"]))
def test_who_passes_the_narrower_word_passes_the_wider(
    principal: Principal, narrow: Who, wide: Who, scope: str
) -> None:
    if ROLES[narrow] <= ROLES[wide] and answer(Access(narrow, scope=scope), principal) == 200:
        assert answer(Access(wide, scope=scope), principal) == 200


def expected(who: Who, scope: str, principal: Principal) -> int:
    """The rule, written anew as what is missing."""
    if who == "public":
        return 200
    if principal.kind == "anonymous":
        return 401
    staff = {StaffRole.ADMIN: ("staff", "staff_admin"), StaffRole.SUPPORT: ("staff",), None: ()}
    words = set(staff[principal.staff_role])
    if principal.kind == "person":
        words.add("person")
    if principal.tenant_id and principal.role:
        words |= {word for word, yes in zip(COLUMNS, TABLE[principal.role], strict=True) if yes}
    limited = principal.kind == "key" and bool(principal.scopes) and scope not in principal.scopes
    return 200 if who in words and not limited else 403


@given(st.sampled_from(WORDS), st.sampled_from(["", "sites:read", "team:write"]), PRINCIPALS)
def test_every_word_for_every_principal(who: Who, scope: str, principal: Principal) -> None:
    assert answer(Access(who, scope=scope), principal) == expected(who, scope, principal)


@pytest.mark.parametrize("who", WORDS)
def test_the_two_that_are_always_there(who: Who) -> None:
    assert answer(Access(who), ANONYMOUS) == (200 if who == "public" else 401)
    assert answer(Access(who), SYSTEM) == (200 if who == "public" else 403), "CHOM itself calls no routes"


@pytest.mark.parametrize("who", COLUMNS)
def test_a_role_counts_in_its_organisation_only(who: Who) -> None:
    assert answer(Access(who), member(Role.OWNER, tenant_id=None)) == 403
    assert answer(Access(who), Principal("person", staff_role=StaffRole.ADMIN)) == 403, "staff are no members"


def test_a_limited_key_does_what_it_is_for_and_no_more() -> None:
    reads, writes, nameless = (Access("viewer", "key", scope) for scope in ("sites:read", "sites:write", ""))
    limited = member(Role.OWNER, kind="key", scopes=frozenset({"sites:read"}))
    assert [answer(route, limited) for route in (reads, writes, nameless)] == [200, 403, 403]
    whole = member(Role.OWNER, kind="key")
    assert [answer(route, whole) for route in (reads, writes, nameless)] == [200, 200, 200]
    assert (
        answer(Access("owner", scope="sites:read"), member(Role.VIEWER, kind="key", scopes=limited.scopes))
        == 403
    )
    assert answer(Access("person", scope="sites:read"), limited) == 403, "a key is nobody's login"


@pytest.mark.parametrize(("who", "roles"), [("admin", "owner, admin"), ("staff_admin", "staff admin")])
def test_a_refusal_names_who_may(who: Who, roles: str) -> None:
    with pytest.raises(Refused, match=f"it takes: {roles}") as refusal:
        Access(who).check(member(Role.VIEWER))
    assert refusal.value.fix, "and what to do next"


def test_principals_and_declarations_cannot_be_changed() -> None:
    for thing, name in ((ANONYMOUS, "role"), (Access("owner"), "who")):
        with pytest.raises(AttributeError):
            setattr(thing, name, "owner")
    assert not ANONYMOUS.is_staff and not SYSTEM.is_staff
    assert Principal("person", staff_role=StaffRole.SUPPORT).is_staff
