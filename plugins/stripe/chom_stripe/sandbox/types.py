"""A value against a TypedDict of the SDK. Numbers and booleans arrive as text, as they do over HTTP."""

from __future__ import annotations

import ast
import sys
import typing
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import typing_extensions as te


@lru_cache(maxsize=2048)
def _fields(typed: Any) -> dict[str, tuple[Any, bool]]:
    """{name: (annotation, required)} without what belongs to the call itself (api_key, idempotency_key …)."""
    of_call = set() if "idempotency_key" not in typed.__annotations__ else _options()
    names = vars(sys.modules[typed.__module__])
    found = {}
    for name, annotation in typed.__annotations__.items():
        if name in of_call:
            continue
        required = name in getattr(typed, "__required_keys__", ())
        if isinstance(annotation, typing.ForwardRef):
            annotation = eval(annotation.__forward_code__, dict(names))  # noqa: S307 (the SDK's own annotation)
        if te.get_origin(annotation) in (te.NotRequired, typing.NotRequired):
            required, annotation = False, te.get_args(annotation)[0]
        found[name] = (annotation, required)
    return found


def _options() -> set[str]:
    from stripe import RequestOptions

    return set(RequestOptions.__annotations__)


def faults_of(data: dict[str, Any], typed: Any, path: str = "") -> list[str]:
    """What is wrong with `data` as a `typed`: unknown, missing and ill-typed parameters, with Stripe's names."""
    names, known = vars(sys.modules[typed.__module__]), _fields(typed)
    faults = [
        f"Missing required param: {path}{n}." for n, (_t, needed) in known.items() if needed and n not in data
    ]
    for name, value in data.items():
        if name not in known:
            faults.append(f"Received unknown parameter: {path}{name}")
        else:
            faults += _faults(value, known[name][0], names, f"{path}{name}")
    return faults


def _alternatives(annotation: Any, names: dict[str, Any]) -> Iterator[Any]:
    """The members of a union; the SDK writes some as text: "Literal['']|Dict[str, str]"."""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        yield from _parsed(ast.parse(annotation, mode="eval").body, names)
    elif te.get_origin(annotation) is typing.Union:
        for one in te.get_args(annotation):
            yield from _alternatives(one, names)
    else:
        yield annotation


def _parsed(node: ast.expr, names: dict[str, Any]) -> Iterator[Any]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from _parsed(node.left, names)
        yield from _parsed(node.right, names)
    else:
        code = compile(ast.Expression(node), "<stripe>", "eval")
        yield from _alternatives(eval(code, dict(names)), names)  # noqa: S307 (the SDK's own annotation)


def _faults(value: Any, annotation: Any, names: dict[str, Any], path: str) -> list[str]:
    every = list(_alternatives(annotation, names))
    enums = {one for a in every if te.get_origin(a) is te.Literal for one in te.get_args(a)}
    if (
        enums - {""}
        and isinstance(value, str)
        and all(a is str or te.get_origin(a) is te.Literal for a in every)
    ):
        return [] if value in enums else [f"Invalid {path}: must be one of {', '.join(sorted(enums))}"]
    best: list[str] | None = None
    for one in every:
        found = _one(value, one, names, path)
        if not found:
            return []
        if best is None or (te.is_typeddict(one) and isinstance(value, dict)):
            best = found
    return best or []


def _one(value: Any, kind: Any, names: dict[str, Any], path: str) -> list[str]:
    """What is wrong with `value` as one alternative. A kind that nobody knows here is believed."""
    origin = te.get_origin(kind)
    if origin is te.Literal:
        return [] if value in te.get_args(kind) else [f"Invalid {path}: {value!r}"]
    if te.is_typeddict(kind):
        return faults_of(value, kind, f"{path}.") if isinstance(value, dict) else [f"Invalid object: {path}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"Invalid array: {path}"]
        return [
            f for n, v in enumerate(value) for f in _faults(v, te.get_args(kind)[0], names, f"{path}[{n}]")
        ]
    if origin is dict:
        return [] if isinstance(value, dict) else [f"Invalid object: {path}"]
    if kind is str:
        return [] if isinstance(value, str) else [f"Invalid string: {path}"]
    if kind is bool:
        return [] if value in ("true", "false") else [f"Invalid boolean: {path}"]
    if kind in (int, float, Decimal):
        return [] if _is_number(value, whole=kind is int) else [f"Invalid integer: {path}"]
    return []


def _is_number(value: Any, *, whole: bool) -> bool:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return False
    return number.is_finite() and (not whole or number == int(number))
