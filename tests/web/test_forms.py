"""A schema becomes a form, and what a browser posts comes back through the schema."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, render_template_string
from flask_babel import force_locale, get_locale
from flask_babel.speaklater import LazyString
from marshmallow import Schema, ValidationError, fields, validate
from werkzeug.datastructures import MultiDict

from chom_core.values.errors import Invalid
from chom_core.web.forms import Form
from chom_core.web.patterns import Pattern
from tests.web.gallery import SiteSettings, make_app

FIELDS = '{% from "components.html" import form_fields, form_errors %}{{ form_errors(form) }}{{ form_fields(form) }}'
GOOD = {"name": "shop", "php": "8.4", "at_budget": "block", "updates": "true"}


@pytest.fixture
def app() -> Iterator[Flask]:
    app = make_app()
    with app.test_request_context():
        yield app


def show(form: Form) -> str:
    return render_template_string(FIELDS, form=form)


def test_a_posted_form_gives_the_schemas_values(app: Flask) -> None:
    posted = MultiDict([*GOOD.items(), ("budget", " 12.50 "), ("days", "Mon"), ("days", "Wed")])
    form = Form(SiteSettings()).parse(posted)
    assert form.ok, form.errors
    assert form.values["budget"] == Decimal("12.50")
    assert form.values["days"] == ["Mon", "Wed"]
    assert form.values["updates"] is True


def test_an_unticked_box_is_false_although_the_schema_defaults_to_true(app: Flask) -> None:
    form = Form(SiteSettings()).parse(MultiDict({k: v for k, v in GOOD.items() if k != "updates"}))
    assert form.values["updates"] is False
    assert "checked" not in str(show(form)).split('id="f-updates"')[1].split(">")[0]


def test_mistakes_keep_what_was_typed_and_point_at_the_field(app: Flask) -> None:
    form = Form(SiteSettings()).parse(MultiDict(GOOD | {"name": "x<y", "mail": "nowhere", "budget": "-3"}))
    assert set(form.errors) == {"mail", "budget"}
    assert (form.ok, form.status, form.values) == (False, 422, {})
    html = show(form)
    assert 'value="x&lt;y"' in html and 'value="nowhere"' in html
    mail = html.split('id="f-mail"')[1].split(">")[0]
    assert 'aria-invalid="true"' in mail and 'aria-describedby="f-mail-error"' in mail and "autofocus" in mail
    assert html.count(" autofocus") == 1
    assert 'href="#f-mail"' in html and "2 things need your attention" in html


def test_empty_optional_numbers_and_mails_are_left_out(app: Flask) -> None:
    form = Form(SiteSettings()).parse(MultiDict(GOOD | {"budget": "", "mail": "", "notes": ""}))
    assert form.ok, form.errors
    assert "budget" not in form.values and "mail" not in form.values
    assert form.values["notes"] == ""


def test_an_empty_required_field_is_missing(app: Flask) -> None:
    assert "name" in Form(SiteSettings()).parse(MultiDict(GOOD | {"name": "  "})).errors


class Gateway(Schema):
    key = fields.String(required=True, metadata={"widget": "secret"})
    label = fields.String()


def test_a_secret_never_reaches_the_page_and_empty_keeps_it(app: Flask) -> None:
    stored = {"key": "sk_live_hidden", "label": "main"}
    html = show(Form(Gateway(), stored, stored=["key"]))
    assert "sk_live_hidden" not in html and "A value is stored" in html
    assert Form(Gateway(), stored, stored=["key"])["key"].value == ""  # nor to a plugin's own template
    form = Form(Gateway(), stored, stored=["key"]).parse(MultiDict({"key": "", "label": "b"}))
    assert form.ok and form.values == {"label": "b"}
    new = Form(Gateway(), stored, stored=["key"]).parse(MultiDict({"key": " sk new ", "label": "b"}))
    assert new.values["key"] == " sk new "  # a secret may begin with a space
    wrong = Form(Gateway()).parse(MultiDict({"key": "typed-secret", "label": "b"}))
    assert "typed-secret" not in show(wrong)
    assert "key" in Form(Gateway()).parse(MultiDict({"key": ""})).errors


def test_a_stored_optional_secret_can_be_forgotten(app: Flask) -> None:
    form = Form(SiteSettings(), {}, stored=["token"]).parse(
        MultiDict(GOOD | {"token": "", "token__clear": "1"})
    )
    assert form.values["token"] == ""


def test_choices_of_this_request_are_checked(app: Flask) -> None:
    class Pick(Schema):
        plan = fields.String(required=True)

    choices = {"plan": [("pro", "Pro"), ("max", "Max")]}
    assert Form(Pick(), choices=choices).parse(MultiDict({"plan": "pro"})).ok
    assert "plan" in Form(Pick(), choices=choices).parse(MultiDict({"plan": "free"})).errors
    assert '<option value="max" selected>' in show(Form(Pick(), {"plan": "max"}, choices=choices))


def test_what_a_verb_refuses_shows_beside_the_field(app: Flask) -> None:
    form = Form(SiteSettings()).parse(MultiDict(GOOD)).refuse(Invalid("No.", fields={"name": ["Taken."]}))
    assert form.errors == {"name": ["Taken."]} and not form.ok
    general = Form(SiteSettings()).parse(MultiDict(GOOD)).refuse(Invalid("Full.", fix="Buy more."))
    assert general.summary == [("", "Full. Buy more.")]


def test_nothing_outside_the_schema_is_taken(app: Flask) -> None:
    class Guarded(Schema):
        id = fields.UUID(dump_only=True)
        name = fields.String()

    form = Form(Guarded()).parse(MultiDict({"id": "x", "name": "a", "role": "owner"}))
    assert form.values == {"name": "a"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (fields.Email(), 'type="email"'),
        (fields.Url(), 'type="url"'),
        (fields.Integer(validate=validate.Range(1, 9)), 'min="1" max="9"'),
        (fields.Date(), 'type="date"'),
        (fields.String(validate=validate.Length(max=8)), 'maxlength="8"'),
        (fields.String(metadata={"widget": "textarea"}), "<textarea"),
        (fields.List(fields.String()), "<textarea"),
        (fields.String(validate=validate.OneOf(["a"])), "<select"),
        (fields.Boolean(), 'type="checkbox"'),
    ],
)
def test_each_field_finds_its_input(app: Flask, spec: fields.Field[Any], expected: str) -> None:
    schema = Schema.from_dict({"x": spec})()
    assert expected in show(Form(schema))


def test_a_field_without_an_input_says_so(app: Flask) -> None:
    with pytest.raises(TypeError, match="no HTML input"):
        show(Form(Schema.from_dict({"x": fields.Dict()})()))


def test_a_pattern_says_its_mistake_in_the_readers_language(app: Flask) -> None:
    rule = Pattern(r"[a-z]+\Z", error=LazyString(lambda: f"nur {get_locale()}, {{}} bleibt"))  # type: ignore[no-untyped-call]
    assert rule("abc") == "abc"
    for language in ("en", "de"):
        with app.test_request_context(), force_locale(language), pytest.raises(ValidationError) as wrong:
            rule("123")
        assert wrong.value.messages == [f"nur {language}, {{}} bleibt"]
