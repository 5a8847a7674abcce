"""Words that people read: what is refused is said in their language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.lints.tree import Finding, Tree

REFUSALS = {
    "Unauthenticated", "PaymentRequired", "Refused", "NotFound", "Conflict", "Invalid", "TooMany", "PluginFailed",
    "Unavailable",
}  # fmt: skip
SAID = {"detail", "fix", "fields"}
#: The floors below speak to developers and operators; the sandboxes stand in for others, in their words.
ABOVE = re.compile(
    r"chom_core/(?:audit|billing|branding|console|identity|notifications|provisioning|rest|web)/|plugins/(?!.*sandbox)"
)
#: Where the words of a value are: not in what it is chosen by, nor in the names of fields.
_PARTS: dict[type[ast.expr], tuple[str, ...]] = {
    ast.Dict: ("values",), ast.List: ("elts",), ast.Tuple: ("elts",), ast.IfExp: ("body", "orelse"),
    ast.BinOp: ("left", "right"),
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z]{2}")


def refusals_are_translatable(tree: Tree) -> Iterator[Finding]:
    """What an error says, what to do next and what is wrong with a field go through gettext."""
    for file in tree.python:
        if file.is_test or not ABOVE.match(file.path):
            continue
        for node in file.walk():
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in REFUSALS:
                said = [*node.args, *(one.value for one in node.keywords if one.arg in SAID)]
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                said = [node.value] if isinstance(node.value, ast.List) else []  # errors["day"] = ["Later."]
            else:
                continue
            for bare in (bare for one in said for bare in _bare(one)):
                yield file.finding(bare.lineno, "says this in one language only; wrap it in _()")


def _bare(node: ast.expr) -> Iterator[ast.expr]:
    """Words in a value that no call has translated."""
    if isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and _WORD.search(node.value)
    ):
        yield node
    for part in _PARTS.get(type(node), ()):
        found = getattr(node, part)
        for child in found if isinstance(found, list) else [found]:
            yield from _bare(child)
