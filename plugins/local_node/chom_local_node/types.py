"""The words of the runner: what a site is, what a step is, what an error says."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


def N_(text: str) -> str:
    """Mark `text` for translation; whoever shows it translates it."""
    return text


class Kind(StrEnum):
    """What runs behind a site."""

    WORDPRESS = "wordpress"
    STATIC = "static"


class RunnerError(Exception):
    """Something a person can act on: `detail` says what is wrong, `fix` what to do next."""

    def __init__(self, detail: str, *, fix: str = "") -> None:
        super().__init__(f"{detail} {fix}".strip())
        self.detail = detail
        self.fix = fix


@dataclass(frozen=True)
class Progress:
    """One sign of life of a long step. `done` of `total` are counted in `unit` ("packages", "files", "")."""

    message: str
    done: int | None = None
    total: int | None = None
    unit: str = ""


Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """A report nobody reads."""


def new_password() -> str:
    """A random password of 24 characters."""
    return secrets.token_urlsafe(18)


@dataclass(frozen=True)
class SiteSpec:
    """What a customer asked for. `name` is one DNS label; the site answers at http://NAME.localhost:PORT.

    `admin_password` is for WordPress only; the caller keeps it encrypted, this package never writes it down for longer
    than the installation takes.
    """

    name: str
    kind: Kind
    title: str
    admin_user: str = "admin"
    admin_email: str = "admin@example.com"
    admin_password: str = field(default_factory=new_password, repr=False)
    marker: str = field(default_factory=lambda: secrets.token_hex(12))


@dataclass(frozen=True)
class Step:
    """One step of an operation, safe to repeat after any crash.

    `check()` says whether the step's effect is there already; `apply(report)` makes it so; `undo()` takes it away and
    is content when there is nothing to take. `title` is shown to the customer, `estimate_seconds` feeds the time left.
    """

    name: str
    title: str
    check: Callable[[], bool]
    apply: Callable[[Report], None]
    undo: Callable[[], None]
    estimate_seconds: int


def run(steps: list[Step], report: Report = silent) -> None:
    """Run `steps` in order, leaving out what is done already. Stops at the first error, undoing nothing."""
    for step in steps:
        if not step.check():
            report(Progress(step.title))
            step.apply(report)
