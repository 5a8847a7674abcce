"""Fragments that are asked for again: unchanged ones cost nothing, final ones stop the asking."""

from __future__ import annotations

from flask import Flask, Response, request

from chom_core.web import live
from tests.web.gallery import make_app


def ask(
    tag: str = "", *, seq: int = 3, final: bool = False, version: object = ""
) -> tuple[Response, list[int]]:
    calls: list[int] = []

    def render() -> str:
        calls.append(1)
        return "<p>now</p>"

    with Flask(__name__).test_request_context("/", headers={"If-None-Match": tag} if tag else {}):
        return live.respond(render, seq=seq, final=final, version=version), calls


def test_the_same_state_is_304_and_is_not_rendered() -> None:
    first, calls = ask()
    assert (first.status_code, calls, first.headers["X-Chom-Live"]) == (200, [1], "1000")
    again, calls = ask(first.headers["ETag"])
    assert (again.status_code, calls, again.get_data()) == (304, [], b"")


def test_any_change_is_sent() -> None:
    tag = ask()[0].headers["ETag"]
    for change in ({"seq": 4}, {"final": True}, {"version": "12 s left"}):
        answer, calls = ask(tag, **change)  # type: ignore[arg-type]
        assert (answer.status_code, calls) == (200, [1]), change


def test_a_final_state_stops_the_asking() -> None:
    assert ask(final=True)[0].headers["X-Chom-Live"] == "final"
    client = make_app().test_client()
    assert b"data-live=" in client.get("/live?after=1").data
    assert b"data-live=" not in client.get("/live?after=8").data


def test_without_script_the_page_refreshes_itself_until_final() -> None:
    client = make_app().test_client()
    assert b'http-equiv="refresh"' in client.get("/live?after=1").data
    assert b'http-equiv="refresh"' not in client.get("/live?after=8").data
    # parsed by htmx, where noscript is no shield, it would reload the page under the reader
    assert b'http-equiv="refresh"' not in client.get("/live?after=1", headers={"HX-Request": "true"}).data


def test_after_reads_only_plain_numbers() -> None:
    for text, seq in (("7", 7), ("", 0), ("-1", 0), ("٣", 0), ("9" * 40, 0), ("x", 0)):
        with Flask(__name__).test_request_context(f"/?after={text}"):
            assert live.after() == seq, request.url
