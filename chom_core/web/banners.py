"""The bars above every page: domains add what they have to say, the layout shows what is said now."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chom_core.web.layout import Banner

Source = Callable[[], Iterable[Banner]]
_sources: list[Source] = []


def add(source: Source) -> None:
    """Ask `source` for bars on every page; it must be cheap."""
    if source not in _sources:
        _sources.append(source)


def shown() -> tuple[Banner, ...]:
    """What is said now, in the order in which sources were added."""
    return tuple(banner for source in _sources for banner in source())
