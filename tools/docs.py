"""`./dev docs`: writes docs/hooks.md, the list of all hooks, from the hook specifications themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import groupby
from pathlib import Path

from chom_core.hookspecs import HookSpec, specs

TARGET = Path(__file__).parents[1] / "docs" / "hooks.md"
HEAD = """# Hooks

Everything a plugin can answer. A plugin implements a hook in its `hooks.py`, as a function of the same name under
`@hookimpl`, with the one argument shown. Written by `./dev docs` from `chom_core/hookspecs`; change it there.

*open*: an implementation that fails is skipped and recorded. *closed*: it stops what asked, naming the plugin.
"""


def page() -> str:
    """The whole page."""
    ordered = sorted(specs().values(), key=lambda spec: (spec.section, spec.name))
    parts = [HEAD]
    for section, members in groupby(ordered, key=lambda spec: spec.section):
        parts.append(f"## {section}\n")
        for spec in members:
            parts.extend(entry(spec))
    return "\n".join(parts)


def entry(spec: HookSpec) -> Iterator[str]:
    """One hook: its name, signature, words, and what its argument carries."""
    since = f"since {spec.since}" + (f", deprecated: {spec.deprecated}" if spec.deprecated else "")
    yield f"### {spec.name}\n\n```python\n{spec.signature}\n```\n"
    yield f"{spec.doc}\n\nFails *{spec.fail}*; {'may write' if spec.writes else 'reads only'}; {since}.\n"
    carried = ", ".join(f"`{field.name}: {field.type}`" for field in fields(spec.argument))
    yield f"`{spec.argument.__name__}` carries {carried or 'nothing'}.\n"


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(page())
    print(f"{len(specs())} hooks in docs/hooks.md")
