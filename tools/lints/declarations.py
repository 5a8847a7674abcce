"""What must be declared: access of routes, tenancy of tables, slots and hooks as hookspecs (DESIGN §3.8).

create_app() and the migration runner refuse the same at run time; here it is found before anything runs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.lints.tree import File, Finding, Tree

KITS = {"Pages", "ApiRoutes"}
METHODS = {"get", "post", "put", "patch", "delete", "route"}
TENANCIES = {"TenantRow", "PlatformRow", "ResellerRow"}
SLOT = re.compile(r"\bslot\(\s*['\"]([\w-]+)['\"]")
PRODUCT = ("chom_core", "marketplace_sdk", "plugins")


def routes_declare_access(tree: Tree) -> Iterator[Finding]:
    """Every route says who may call it: `access=` on the route or on its Pages or ApiRoutes."""
    for file in tree.under(*PRODUCT):
        kits = {
            target.id: "access" in keywords(node.value)
            for node in file.walk()
            if isinstance(node, ast.Assign) and called(node.value) in KITS
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for function in functions(file):
            for mark in function.decorator_list:
                if not (isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute)):
                    continue
                kit = mark.func.value.id if isinstance(mark.func.value, ast.Name) else ""
                if mark.func.attr in METHODS and kits.get(kit) is False and "access" not in keywords(mark):
                    yield file.finding(mark.lineno, f"the route {function.name} declares no access=")


def tables_declare_tenancy(tree: Tree) -> Iterator[Finding]:
    """Every table is a TenantRow, PlatformRow or ResellerRow: from that come its policy and its grants."""
    for file in tree.under(*PRODUCT):
        for node in file.walk():
            if not isinstance(node, ast.ClassDef):
                continue
            bases = {ast.unparse(base).split(".")[-1] for base in node.bases}
            named = any(
                isinstance(s, ast.Assign) and ast.unparse(s.targets[0]) == "__tablename__" for s in node.body
            )
            if named and not bases & TENANCIES:
                yield file.finding(
                    node.lineno, f"the table {node.name} declares no tenancy ({', '.join(sorted(TENANCIES))})"
                )


def slots_are_hooks(tree: Tree) -> Iterator[Finding]:
    """`slot('x')` in a template needs a hook `slot_x`, else no plugin could ever fill it."""
    known = {function.name for file in hookspecs(tree) for function in functions(file)}
    for file in tree.templates:
        for number, line in enumerate(file.text.splitlines(), 1):
            for place in SLOT.findall(line):
                if f"slot_{place}" not in known:
                    yield file.finding(number, f"no hook slot_{place} in chom_core/hookspecs")


def hooks_are_documented(tree: Tree) -> Iterator[Finding]:
    """Every hook stands in docs/hooks.md with the signature it has (`./dev docs` writes that page)."""
    page = tree.root / "docs" / "hooks.md"
    text = page.read_text() if page.is_file() else ""
    for file in hookspecs(tree):
        for function in functions(file):
            if not any(called(mark) == "hook" for mark in function.decorator_list):
                continue
            if not ast.get_docstring(function):
                yield file.finding(function.lineno, f"the hook {function.name} has no docstring")
            if signature(function) not in text:
                yield file.finding(
                    function.lineno, f"docs/hooks.md lacks {signature(function)}; run ./dev docs"
                )


def signature(function: ast.FunctionDef) -> str:
    """`billing_tax(query: TaxQuery) -> TaxAnswer | None`."""
    answer = ast.unparse(function.returns) if function.returns else ""
    return f"{function.name}({ast.unparse(function.args)}) -> {answer}"


def hookspecs(tree: Tree) -> list[File]:
    """The files that declare hooks."""
    return [file for file in tree.under("chom_core") if file.parts[1] == "hookspecs"]


def functions(file: File) -> Iterator[ast.FunctionDef]:
    """Every function of the file."""
    return (node for node in file.walk() if isinstance(node, ast.FunctionDef))


def called(node: ast.AST) -> str:
    """The bare name of what a call calls."""
    return ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""


def keywords(node: ast.AST) -> set[str]:
    """Names of a call's keyword arguments."""
    return {keyword.arg for keyword in node.keywords if keyword.arg} if isinstance(node, ast.Call) else set()
