"""The tree under check: the files git knows or would add, read and parsed once."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One broken rule, at one place."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class File:
    """One file of the tree."""

    def __init__(self, root: Path, path: str) -> None:
        self.path = path
        self.place = root / path
        self.parts = Path(path).parts

    @cached_property
    def text(self) -> str:
        """Its text; empty where it is not text."""
        try:
            return self.place.read_text()
        except UnicodeDecodeError:
            return ""

    @cached_property
    def module(self) -> ast.Module:
        """Its syntax tree; empty where it does not parse (ruff says so)."""
        try:
            return ast.parse(self.text)
        except SyntaxError:
            return ast.Module(body=[], type_ignores=[])

    @property
    def is_test(self) -> bool:
        """Whether it belongs to tests."""
        return "tests" in self.parts

    @property
    def is_migration(self) -> bool:
        """Whether it is a migration."""
        return "migrations" in self.parts

    def walk(self) -> Iterator[ast.AST]:
        """Every node of its syntax tree."""
        return ast.walk(self.module)

    def finding(self, line: int, text: str) -> Finding:
        """A finding in this file."""
        return Finding(self.path, line, text)


class Tree:
    """All files, by kind."""

    def __init__(self, root: Path) -> None:
        self.root = root
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        names = sorted({name for name in listing.split("\0") if name})
        self.files = [File(root, name) for name in names if (root / name).is_file()]

    @cached_property
    def python(self) -> list[File]:
        """Python files."""
        return [file for file in self.files if file.path.endswith(".py")]

    @cached_property
    def templates(self) -> list[File]:
        """Jinja templates of pages (mail has other rules)."""
        return [
            file
            for file in self.files
            if file.path.endswith((".html", ".jinja"))
            and "templates" in file.parts
            and "emails" not in file.parts
        ]

    def under(self, *tops: str) -> list[File]:
        """Python files of these top folders that are product code: no tests, no migrations."""
        return [f for f in self.python if f.parts[0] in tops and not f.is_test and not f.is_migration]
