"""Law 8: a route that says not who may call it never answers."""

from __future__ import annotations

import pytest
from flask import Flask

from chom_core.rest import ApiRoutes
from chom_core.rest.access import UndeclaredRoute, check_complete, declare
from chom_core.values.access import ROLES, Access
from chom_core.values.errors import Refused, Unauthenticated
from chom_core.values.ids import uuid7
from chom_core.values.principal import ANONYMOUS, SYSTEM, Principal, Role, StaffRole
from chom_core.web import Pages


def test_an_app_with_an_undeclared_route_does_not_start() -> None:
    app = Flask("bare", static_folder=None)
    app.add_url_rule("/loose", "loose", lambda: "x")
    app.add_url_rule("/fine", "fine", lambda: "x")
    declare(app, "fine", Access("public", "none"))
    with pytest.raises(UndeclaredRoute, match=r"routes without an access declaration: /loose\Z"):
        check_complete(app)


def test_a_group_without_access_takes_only_routes_that_have_it() -> None:
    for group in (Pages("x", __name__), ApiRoutes("x", __name__, prefix="/x")):
        group.get("/fine", access="public")(lambda: "x")
        with pytest.raises(UndeclaredRoute, match="GET /loose says not who may call it"):
            group.get("/loose")


def person(role: Role | None, staff: StaffRole | None = None) -> Principal:
    return Principal("person", uuid7(), uuid7() if role else None, role, staff)


@pytest.mark.parametrize("who", ["viewer", "billing", "member", "admin", "owner"])
@pytest.mark.parametrize("role", list(Role))
def test_each_word_lets_in_its_roles_and_no_other(who: str, role: Role) -> None:
    access = Access(who)  # type: ignore[arg-type]
    if role in ROLES[who]:
        access.check(person(role))
    else:
        with pytest.raises(Refused):
            access.check(person(role))
    with pytest.raises(Unauthenticated):
        access.check(ANONYMOUS)
    with pytest.raises(Refused):
        access.check(person(None))
    with pytest.raises(Refused):
        access.check(person(None, StaffRole.ADMIN))
    with pytest.raises(Refused):
        access.check(SYSTEM)


def test_staff_words_ask_for_staff() -> None:
    Access("staff").check(person(None, StaffRole.SUPPORT))
    Access("staff_admin").check(person(None, StaffRole.ADMIN))
    for who, principal in (
        ("staff", person(Role.OWNER)),
        ("staff_admin", person(Role.OWNER, StaffRole.SUPPORT)),
    ):
        with pytest.raises(Refused):
            Access(who).check(principal)  # type: ignore[arg-type]
    Access("person").check(person(None))
    Access("public").check(ANONYMOUS)


def test_a_key_with_scopes_does_only_what_they_name() -> None:
    def key(*scopes: str) -> Principal:
        return Principal("key", None, uuid7(), Role.ADMIN, scopes=frozenset(scopes))

    Access("viewer", "key", "notes:read").check(key())
    Access("viewer", "key", "notes:read").check(key("notes:read", "other:read"))
    for access in (Access("viewer", "key", "notes:write"), Access("viewer", "key")):
        with pytest.raises(Refused, match="scope"):
            access.check(key("notes:read"))
    with pytest.raises(Refused):
        Access("person").check(key())
