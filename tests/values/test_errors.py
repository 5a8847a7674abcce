"""Errors: each has a status, a title and a code of its own, and no answer tells what only we may know."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from chom_core.rest import problems
from chom_core.values import (
    ChomError,
    Invalid,
    NotFound,
    PluginFailed,
    TooMany,
    Unauthenticated,
    errors,
    uuid7,
)
from chom_core.values.billing import CardSubmission
from chom_core.values.provisioning import NodeInfo, OperationContext, ServiceFacts

#: The places outside of `values` that refuse in words of their own.
ELSEWHERE = ("app", "cli", "config", "database.actor", "database.encrypted", "values.provisioning")
for _place in ELSEWHERE:
    importlib.import_module(f"chom_core.{_place}")


def kinds(base: type[ChomError] = ChomError) -> Iterator[type[ChomError]]:
    """Every error of the core that is loaded; classes that other tests make are not the core's."""
    if base.__module__.startswith("chom_core."):
        yield base
    for sub in base.__subclasses__():
        yield from kinds(sub)


KINDS = sorted(set(kinds()), key=lambda kind: kind.__qualname__)
#: Those that plugins raise: all are made alike.
OURS = [kind for kind in KINDS if kind.__module__.startswith("chom_core.values.")]
TEXT = st.text(min_size=1, max_size=40)
FIELDS = st.dictionaries(TEXT, st.lists(TEXT, min_size=1, max_size=3), max_size=3)
SECRET = "correct-horse-battery-staple-4242424242424242"
app = Flask(__name__)


def body(error: Exception) -> tuple[dict[str, object], int, str]:
    """The problem document as read by a client, its status, and the whole answer as text."""
    with app.test_request_context("/api/v1/things"):
        answer = problems.response(error)
    text = answer.get_data(as_text=True)
    return json.loads(text), answer.status_code, f"{answer.headers}{text}"


def test_the_list_of_errors_is_the_whole_one() -> None:
    named = {
        thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, ChomError)
    }
    assert named < set(KINDS), "and those outside of this floor"
    assert len(named) == 10


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_says_what_it_is(kind: type[ChomError]) -> None:
    assert kind.status in {status.value for status in HTTPStatus} and 400 <= kind.status < 600
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
    assert kind.title[0].isupper() and not kind.title.endswith(".")
    assert kind.__doc__ and kind.__doc__.endswith(".")


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_error_is_made_alike(kind: type[ChomError]) -> None:
    bare = kind("")
    assert bare.detail == str(bare) == kind.title, "words even where nobody gave any"
    assert (bare.fix, bare.fields) == ("", {})
    said = kind("It is so.", fix="Do this.")
    assert (said.detail, str(said), said.fix) == ("It is so.", "It is so.", "Do this.")


def test_no_two_errors_share_a_code_but_by_descent() -> None:
    codes = [kind.code for kind in KINDS if "code" in vars(kind)]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("Unauthenticated", 401), ("PaymentRequired", 402), ("Refused", 403), ("NotFound", 404), ("Conflict", 409),
        ("Invalid", 422), ("TooMany", 429), ("PluginFailed", 502), ("Unavailable", 503), ("ChomError", 400),
    ],
)  # fmt: skip
def test_the_statuses_that_clients_rely_on(name: str, status: int) -> None:
    assert getattr(errors, name).status == status


@given(FIELDS)
def test_the_fields_are_a_copy_of_lists(fields: dict[str, list[str]]) -> None:
    error = Invalid(fields={name: tuple(messages) for name, messages in fields.items()})
    assert error.fields == fields
    given_ = {name: list(messages) for name, messages in fields.items()}
    error = Invalid(fields=given_)
    for messages in given_.values():
        messages.append("later")
    given_["more"] = []
    assert error.fields == fields


@settings(max_examples=40)
@given(st.sampled_from(OURS), TEXT, st.text(max_size=40))
def test_a_problem_tells_what_was_said_and_nothing_else(kind: type[ChomError], detail: str, fix: str) -> None:
    found, status, _ = body(kind(detail, fix=fix))
    told = {"type": f"/problems/{kind.code}", "title": kind.title, "status": kind.status, "detail": detail}
    assert found == told | ({"fix": fix} if fix else {}) | {"instance": "/api/v1/things", "request_id": ""}
    assert status == kind.status


@settings(max_examples=30)
@given(FIELDS)
def test_a_problem_names_the_fields(fields: dict[str, list[str]]) -> None:
    found, status, _ = body(Invalid("Look again.", fields=fields))
    assert found.get("errors", {}) == fields
    assert status == 422


@pytest.mark.parametrize("kind", [RuntimeError, KeyError, ValueError, OSError, TypeError, AssertionError])
def test_what_is_not_ours_to_tell_stays_here(kind: type[Exception]) -> None:
    found, status, text = body(kind(f"postgresql://chom:{SECRET}@db/chom"))
    assert (status, found["type"]) == (500, "/problems/internal")
    assert SECRET not in text and kind.__name__ not in text


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_causes_notes_and_attributes_stay_here_too(kind: type[ChomError]) -> None:
    error = kind("It did not work.", fix="Try again.")
    error.__cause__ = error.__context__ = RuntimeError(SECRET)
    error.add_note(SECRET)
    error.secret = SECRET  # type: ignore[attr-defined]
    assert SECRET not in body(error)[2]
    assert SECRET not in repr(error) and SECRET not in str(error)


def test_who_failed_is_for_staff() -> None:
    error = PluginFailed("A feature failed.", plugin="taxes-of-atlantis")
    assert error.plugin == "taxes-of-atlantis"
    assert "atlantis" not in body(error)[2]


def test_only_401_asks_for_a_key() -> None:
    assert "WWW-Authenticate" in body(Unauthenticated())[2]
    assert not any("WWW-Authenticate" in body(kind())[2] for kind in (NotFound, TooMany, Invalid))


def test_values_that_hold_secrets_do_not_show_them() -> None:
    one = UUID(int=0)
    node = NodeInfo(one, "n", "d", "r", "a", "active", secrets={"key": SECRET})
    service = ServiceFacts(one, uuid7(), "site", "s", "S", "marker", node, secrets={"password": SECRET})
    asked = OperationContext(one, "create", service)
    card = CardSubmission(one, {"number": SECRET})
    for holder in (node, service, asked, card):
        assert SECRET not in repr(holder) and SECRET not in str(holder) and SECRET not in f"{[holder]}"
