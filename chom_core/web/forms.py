"""A marshmallow schema as an HTML form: one declaration validates the API, describes it and draws the page.

A field's `metadata` may hold: `label`, `help`, `placeholder`, `widget` (textarea, radio, radio-cards, colour, secret,
hidden, number, lines, switch), `autocomplete`, `prefix`, `suffix`, `rows`, `section`, `choices` as (value, label)
pairs, and `about` (value → sentence) for radio cards.

    form = Form(ProjectSchema(), project)            # GET
    form = Form(ProjectSchema(), project).parse(request.form)
    if form.ok: service.rename(**form.values)        # POST
    return render_template("…", form=form), form.status
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from marshmallow import EXCLUDE, Schema, ValidationError, fields, missing, validate
from werkzeug.datastructures import MultiDict

from chom_core.values.errors import ChomError
from chom_core.web.inputs import Choice, choices_of, limits_of, shown, widget_of

FORM = "_schema"
#: marshmallow says this in English and about data; a person reads about a field.
_MISSING = fields.Field.default_error_messages["required"]


@dataclass(slots=True)
class Input:
    """One field as the templates see it."""

    name: str
    label: str
    widget: str
    value: Any = ""
    help: str = ""
    placeholder: str = ""
    required: bool = False
    errors: list[str] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    attributes: dict[str, object] = field(default_factory=dict)
    prefix: str = ""
    suffix: str = ""
    section: str = ""
    stored: bool = False
    autofocus: bool = False

    @property
    def id(self) -> str:
        return f"f-{self.name.replace('.', '-')}"

    @property
    def described_by(self) -> str | None:
        """The ids that explain this field, for aria-describedby; None where nothing does."""
        ids = [f"{self.id}-error"] * bool(self.errors) + [f"{self.id}-help"] * bool(self.help or self.stored)
        return " ".join(ids) or None


class Form:
    """A schema, what its fields hold now, and what is wrong with them.

    `data`: the thing being changed (a mapping or an object), or None for a new one. `choices`: {field: (value, label)
    pairs} known only to this request. `stored`: names of secrets that have a value; they are never sent to a page.
    """

    def __init__(
        self,
        schema: Schema,
        data: object = None,
        errors: Mapping[str, Sequence[str]] | None = None,
        *,
        choices: Mapping[str, Iterable[tuple[Any, str]]] | None = None,
        stored: Iterable[str] = (),
    ) -> None:
        self.schema = schema
        self.data = data
        self.errors: dict[str, list[str]] = {name: list(found) for name, found in (errors or {}).items()}
        self.values: dict[str, Any] = {}
        self._choices = choices or {}
        self._stored = set(stored)
        self._raw: dict[str, Any] | None = None

    # reading -------------------------------------------------------------------------------------------------------

    def parse(self, posted: MultiDict[str, str]) -> Form:
        """Take what a browser posted: fills `values`, or `errors` with the old input kept. Returns itself."""
        raw, kept = {}, []
        for name, spec in self._editable():
            key = spec.data_key or name
            untouched = not posted.get(key) and not posted.get(f"{key}__clear")
            if widget_of(spec) == "secret" and name in self._stored and untouched:
                kept.append(name)  # an empty secret field means: leave it as it is
                continue
            given = _read(spec, posted, key)
            if given is not _ABSENT:
                raw[key] = given
        self._raw = raw
        try:
            self.values = self.schema.load(raw, partial=tuple(kept), unknown=EXCLUDE)
            self.errors = self._outside_choices()
        except ValidationError as wrong:
            self.values = {}
            self.errors = _flat(wrong.messages)
        for name in kept:
            self.values.pop(name, None)
        return self

    def refuse(self, error: ChomError) -> Form:
        """Show what a verb refused: its field errors beside the fields; its sentence at the top, where none of them
        is one of the schema's own and the page may have no place for it."""
        for name, messages in error.fields.items():
            self.errors.setdefault(name, []).extend(messages)
        if not error.fields.keys() & self.schema.fields.keys():
            self.errors.setdefault(FORM, []).append(f"{error.detail} {error.fix}".strip())
        return self

    @property
    def ok(self) -> bool:
        """Posted, and nothing is wrong."""
        return self._raw is not None and not self.errors

    @property
    def status(self) -> int:
        """The page's HTTP status: 422 while something is wrong."""
        return 422 if self.errors else 200

    def _outside_choices(self) -> dict[str, list[str]]:
        wrong = {}
        for name, pairs in self._choices.items():
            allowed = {str(value) for value, _label in pairs}
            given = self.values.get(name)
            picked = given if isinstance(given, list | tuple | set) else [given]
            if any(one not in (None, "") and str(shown(one)) not in allowed for one in picked):
                wrong[name] = [_("Choose one of the list.")]
        return wrong

    # showing -------------------------------------------------------------------------------------------------------

    def _editable(self) -> list[tuple[str, fields.Field[Any]]]:
        return [
            (n, f)
            for n, f in self.schema.fields.items()
            if not f.dump_only and not isinstance(f, fields.Constant)
        ]

    @property
    def inputs(self) -> list[Input]:
        """Every field, in the schema's order; the first wrong one takes the focus."""
        made = [self._input(name, spec) for name, spec in self._editable()]
        wrong = next((one for one in made if one.errors), None)
        if wrong:
            wrong.autofocus = True
        return made

    def __getitem__(self, name: str) -> Input:
        """One field by name, for pages that place fields themselves."""
        return self._input(name, self.schema.fields[name])

    @property
    def sections(self) -> list[tuple[str, list[Input]]]:
        """Fields grouped by their `section`, in order of first appearance."""
        groups: dict[str, list[Input]] = {}
        for one in self.inputs:
            groups.setdefault(one.section, []).append(one)
        return list(groups.items())

    @property
    def summary(self) -> list[tuple[str, str]]:
        """(anchor, sentence) per mistake, for the box at the top; the anchor is empty for the form as a whole."""
        labels = {(s.data_key or n): (f"#f-{n}", _label(n, s)) for n, s in self._editable()}
        found = []
        for name, messages in self.errors.items():
            anchor, label = labels.get(name.split(".")[0], ("", ""))
            found += [(anchor, f"{label}: {message}" if label else message) for message in messages]
        return found

    @property
    def headline(self) -> str:
        """The summary's title."""
        count = len(self.summary)
        return ngettext("One thing needs your attention", "%(num)d things need your attention", count)

    def _input(self, name: str, spec: fields.Field[Any]) -> Input:
        meta, widget, key = spec.metadata, widget_of(spec), spec.data_key or name
        pairs = self._choices.get(name)
        choices = (
            [Choice(str(shown(v)), str(label)) for v, label in pairs]
            if pairs is not None
            else choices_of(spec)
        )
        if pairs is not None and widget in {"text", "number"}:
            widget = "select"
        has_default = spec.load_default is not missing  # a default makes an empty field fine
        return Input(
            name=key,
            label=_label(name, spec),
            widget=widget,
            value="" if widget == "secret" else self._value(name, key, spec),
            help=str(meta.get("help") or meta.get("description") or ""),
            placeholder=str(meta.get("placeholder") or ""),
            required=spec.required and not has_default and name not in self._stored,
            errors=[m for n, found in self.errors.items() if n.split(".")[0] == key for m in found],
            choices=choices,
            attributes=limits_of(spec)
            | {k: str(meta[k]) for k in ("autocomplete", "rows", "step") if k in meta},
            prefix=str(meta.get("prefix") or ""),
            suffix=str(meta.get("suffix") or ""),
            section=str(meta.get("section") or ""),
            stored=name in self._stored,
        )

    def _value(self, name: str, key: str, spec: fields.Field[Any]) -> Any:
        if self._raw is not None:
            return self._raw.get(key, "")
        held = self.data.get(name) if isinstance(self.data, Mapping) else getattr(self.data, name, None)
        if held is None:
            default = spec.load_default() if callable(spec.load_default) else spec.load_default
            held = None if default is missing else default
        return shown(held)


_ABSENT = object()


def _label(name: str, spec: fields.Field[Any]) -> str:
    return str(spec.metadata.get("label") or name.removesuffix("_id").replace("_", " ").capitalize())


def _read(spec: fields.Field[Any], posted: MultiDict[str, str], key: str) -> Any:
    """One field's raw value: what was posted, made ready for marshmallow. Browsers send no unticked box."""
    if isinstance(spec, fields.Boolean):
        return key in posted
    if isinstance(spec, fields.List):
        if widget_of(spec) == "lines":
            return [line.strip() for line in posted.get(key, "").splitlines() if line.strip()]
        return posted.getlist(key)
    text = posted.get(key)
    if text is None:
        return _ABSENT
    text = text if widget_of(spec) == "secret" else text.strip()
    if text:
        return text
    if spec.allow_none:
        return None
    if isinstance(spec, fields.String) and not spec.required and not _refuses_empty(spec):
        return ""
    return _ABSENT


def _refuses_empty(spec: fields.Field[Any]) -> bool:
    return any(
        isinstance(v, validate.OneOf | validate.Regexp | validate.URL | validate.Email)
        for v in spec.validators
    )


def _flat(messages: Any, prefix: str = "") -> dict[str, list[str]]:
    """marshmallow's nested messages as {dotted name: [sentence]}."""
    if isinstance(messages, str):
        return {prefix or FORM: [_("Fill this in.") if messages == _MISSING else messages]}
    if isinstance(messages, list):
        found: dict[str, list[str]] = {}
        for one in messages:
            for name, texts in _flat(one, prefix).items():
                found.setdefault(name, []).extend(texts)
        return found
    found = {}
    for name, inner in messages.items():
        found.update(_flat(inner, f"{prefix}.{name}" if prefix else str(name)))
    return found
