"""Is an answer what its hook asks for? Made once from the hook's return annotation, asked of every answer.

Plugins are Python: nothing keeps one from answering a string where a panel is wanted. Here it counts as an error of
that plugin, before the page or the bill trips over it.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Mapping
from typing import Any, Union, get_args, get_origin

Fits = Callable[[Any], bool]


def fits(annotation: Any) -> Fits:
    """A check of values against `annotation`: classes, protocols, unions, and the elements of collections."""
    if annotation is Any:
        return lambda value: True
    if annotation is None or annotation is type(None):
        return lambda value: value is None
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        choices = [fits(one) for one in arguments]
        return lambda value: any(choice(value) for choice in choices)
    if origin is None:
        return lambda value: isinstance(value, annotation)
    if issubclass(origin, Mapping):
        key, inner = fits(arguments[0]), fits(arguments[1])
        return lambda value: isinstance(value, origin) and all(key(k) and inner(v) for k, v in value.items())
    if issubclass(origin, Collection):
        each = fits(arguments[0])
        return lambda value: (
            isinstance(value, origin) and not isinstance(value, (str, bytes)) and all(map(each, value))
        )
    return lambda value: isinstance(value, origin)


def exact(annotation: Any) -> type | None:
    """The one class that most answers have (`Panel | None` → Panel): compared first, since it is cheapest."""
    for one in get_args(annotation) or (annotation,):
        if isinstance(one, type) and one is not type(None) and not getattr(one, "_is_protocol", False):
            return one
    return None
