"""Kept pieces: one drawing for all who see the same, and never another's language, words or markup."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, render_template_string
from flask_babel import force_locale
from markupsafe import Markup

from chom_core.web import reader
from chom_core.web.kept import kept
from chom_core.web.tables import Filter, ListPage, Sort, View
from tests.web.gallery import make_app

LIST = ListPage("kept", {"name": Sort(None), "at": Sort(None)}, "name", (Filter("q", "Search"),))  # type: ignore[arg-type]
HEAD = "{% from 'components.html' import filters, th_sort %}{{ filters(view) }}{{ th_sort(view, 'name', 'Name') }}"


@pytest.fixture
def app() -> Flask:
    made = make_app()
    reader.init_app(made)
    return made


def test_a_piece_is_drawn_once_for_each_language_and_value(app: Flask) -> None:
    drawn: list[Any] = []

    def macro(value: object) -> Markup:
        drawn.append(value)
        return Markup("{} {}").format(value, reader.reader().code)

    with app.test_request_context():
        assert kept(macro, "a") == kept(macro, "a") == "a en"
        assert kept(macro, "<b>") == "&lt;b&gt; en" and kept(macro, Markup("<b>")) == "<b> en"
        with force_locale("de"):
            assert kept(macro, "a") == "a de"
        assert drawn == ["a", "<b>", "<b>", "a"]
        app.debug = True
        kept(macro, "a")
    assert len(drawn) == 5, "while templates are edited nothing is kept"


def test_what_one_reader_searched_is_not_kept_for_the_next(app: Flask) -> None:
    with app.test_request_context():
        mine = render_template_string(HEAD, view=View(LIST, "/x", "name", {"q": "my secret"}))
        other = render_template_string(HEAD, view=View(LIST, "/x", "name"))
        turned = render_template_string(HEAD, view=View(LIST, "/x", "-name", after="cursor"))
        elsewhere = render_template_string(HEAD, view=View(LIST, "/y", "name"))
    assert mine.count("my+secret") == 2 and 'value="my secret"' in mine
    assert "secret" not in other and "/x?sort=-name" in other and 'aria-sort="ascending"' in other
    assert 'aria-sort="descending"' in turned and "/x?sort=name" in turned and "cursor" not in turned
    assert "/y?sort=-name" in elsewhere and "/x?" not in elsewhere
