"""What no tracked file may hold: a package registry's address, a path of somebody's machine, third-party code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.lints.tree import Finding, Tree

# brackets keep this file from finding itself
REGISTRIES = re.compile(
    r"pyp[i]\.org|pythonhost[e]d\.org|npm[j]s\.(?:org|com)|deb\.debia[n]\.org|crate[s]\.io|unpk[g]\.com|jsdeliv[r]\.net"
)
MACHINE = re.compile(
    r"(?<![\w.])/(?:wor[k]/(?:main|shared|steering|\.library)|far[m]/|roo[t]/|hom[e]/[a-z]\w*/|User[s]/\w+/)"
)
LIMIT = 1_000_000


def registry_hosts(tree: Tree) -> Iterator[Finding]:
    """No file names a registry's host: where packages come from is the machine's affair."""
    yield from search(tree, REGISTRIES, "names a package registry's host")


def machine_paths(tree: Tree) -> Iterator[Finding]:
    """No file names a path of one machine."""
    yield from search(tree, MACHINE, "names a path of one machine")


def third_party(tree: Tree) -> Iterator[Finding]:
    """Third-party code comes from the lock files, never from git."""
    for file in tree.files:
        if "vendor" in file.parts or "node_modules" in file.parts or ".min." in file.path:
            yield file.finding(1, "looks like third-party code; fetch it at build (package-lock.json)")
        elif file.place.stat().st_size > LIMIT:
            yield file.finding(1, f"is larger than {LIMIT} bytes; generate or fetch it")


def search(tree: Tree, pattern: re.Pattern[str], text: str) -> Iterator[Finding]:
    """A finding for every line that matches."""
    for file in tree.files:
        if not pattern.search(file.text):
            continue
        for number, line in enumerate(file.text.splitlines(), 1):
            if found := pattern.search(line):
                yield file.finding(number, f"{text}: {found.group()}")
