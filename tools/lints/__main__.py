"""`python -m tools.lints [FOLDER]`: a line for each lint, its findings below, exit code 1 where there are any."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.lints import addresses, borders, declarations, habits, words
from tools.lints.tree import Finding, Tree

LINTS: tuple[Callable[[Tree], Iterator[Finding]], ...] = (
    addresses.registry_hosts,
    addresses.machine_paths,
    addresses.third_party,
    borders.core_knows_no_plugin,
    borders.plugins_use_the_sdk,
    borders.pure_floors,
    declarations.routes_declare_access,
    declarations.tables_declare_tenancy,
    declarations.slots_are_hooks,
    declarations.hooks_are_documented,
    habits.one_clock,
    habits.no_raw_writes_in_plugins,
    habits.nothing_unfinished,
    habits.rooms_are_readable,
    habits.templates_keep_the_csp,
    words.refusals_are_translatable,
)


def main() -> int:
    """Run all of them."""
    tree = Tree(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2])
    total = 0
    for lint in LINTS:
        findings = sorted(lint(tree))
        total += len(findings)
        print(f"{lint.__name__.replace('_', ' '):<28} {len(findings) or 'ok'}")
        for finding in findings:
            print(f"  {finding}")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
