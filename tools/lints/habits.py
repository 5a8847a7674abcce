"""Habits of the house: one clock, no raw writes in plugins, nothing unfinished, rooms of readable size, strict CSP."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.lints.tree import Finding, Tree

CLOCK = "chom_core/database/clock.py"
NOW = {"now", "utcnow", "today"}
WRITES = re.compile(
    r"\s*(?:with\b.*?\b)?(?:insert|update|delete|merge|truncate|alter|drop|create|grant|copy)\b", re.I | re.S
)
UNFINISHED = re.compile(
    r"#.*\b(?:TOD[O]|FIXM[E]|XX[X])\b|\bNotImplemente[d]Error\b|@pytest\.mark\.(?:ski[p]\b|xfai[l])"
)
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style(?![^>]*\bnonce=)|\sstyle=|\son[a-z]+=|javascript:", re.I)
LINES = 300


def one_clock(tree: Tree) -> Iterator[Finding]:
    """Product code asks the house's clock: business time, which a test clock can move (DESIGN §4)."""
    for file in tree.under("chom_core", "plugins", "marketplace_sdk"):
        if file.path == CLOCK:
            continue
        for node in file.walk():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in NOW:
                owner = ast.unparse(node.func.value).split(".")[-1]
                if owner in {"datetime", "date"}:
                    yield file.finding(
                        node.lineno, f"{owner}.{node.func.attr}() is the machine's time; ask clock.now()"
                    )


def no_raw_writes_in_plugins(tree: Tree) -> Iterator[Finding]:
    """text() in a plugin reads only: a raw write would pass the guard that keeps plugins to their schema (§3.5)."""
    for file in tree.under("plugins"):
        for node in file.walk():
            if not (
                isinstance(node, ast.Call)
                and node.args
                and ast.unparse(node.func).split(".")[-1] in {"text", "execute"}
            ):
                continue
            sql = node.args[0]
            if isinstance(sql, ast.JoinedStr) or (
                isinstance(sql, ast.BinOp) and "text" in ast.unparse(node.func)
            ):
                yield file.finding(node.lineno, "SQL put together from strings; bind parameters instead")
            elif isinstance(sql, ast.Constant) and isinstance(sql.value, str) and WRITES.match(sql.value):
                yield file.finding(node.lineno, "writes by text(); use the model, or a verb of chom_sdk")


def nothing_unfinished(tree: Tree) -> Iterator[Finding]:
    """No promise in a comment, no stub, no switched-off test."""
    for file in tree.python:
        for number, line in enumerate(file.text.splitlines(), 1):
            if found := UNFINISHED.search(line):
                yield file.finding(number, f"unfinished: {found.group().strip()}")


def rooms_are_readable(tree: Tree) -> Iterator[Finding]:
    """A file past 300 lines becomes a folder whose files name its parts (DESIGN §2)."""
    for file in tree.python:
        count = len(file.text.splitlines())
        if count > LINES and not file.is_test and not file.is_migration:
            yield file.finding(LINES, f"has {count} lines; make it a folder whose files name its parts")


def templates_keep_the_csp(tree: Tree) -> Iterator[Finding]:
    """No inline script, handler or style: the browser would refuse them under our CSP (DESIGN §7)."""
    for file in tree.templates:
        for number, line in enumerate(file.text.splitlines(), 1):
            if found := INLINE.search(line):
                yield file.finding(
                    number, f"the CSP forbids {found.group().strip()!r}; use a class or a file of web/static"
                )
