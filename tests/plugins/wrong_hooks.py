"""Hooks that may not be declared, each with the words that refuse it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fine:
    """A frozen argument."""


@dataclass
class Soft:
    """An argument that anybody could change."""


def two(first: Fine, second: Fine) -> None:
    """Two arguments."""


def loose(first: Soft) -> None:
    """Not frozen."""


def number(first: int) -> None:
    """No dataclass."""


def silent(first: Fine) -> None:
    pass


WRONG: list[tuple[Callable[..., Any], str]] = [
    (two, "exactly one argument"),
    (loose, "frozen dataclass"),
    (number, "frozen dataclass"),
    (silent, "no docstring"),
]
