"""Rules of a form's field whose mistake is said in the reader's language: marshmallow itself takes plain words only."""

from __future__ import annotations

from flask_babel.speaklater import LazyString
from marshmallow import validate


class Pattern(validate.Regexp):
    """What is written begins with this regular expression; `error`, without placeholders, says how else."""

    def __init__(self, regex: str, *, error: str | LazyString) -> None:
        super().__init__(regex)
        self.words = error

    def _format_error(self, value: str | bytes) -> str:
        return str(self.words)


class Ticked(validate.Equal):
    """A box that has to be ticked; `error` says why nothing happens without."""

    def __init__(self, error: str | LazyString) -> None:
        super().__init__(True)
        self.words = error

    def _format_error(self, value: object) -> str:
        return str(self.words)
