"""`./dev test`: every suite in a process of its own, two at a time.

A process of CHOM fills its registry of plugins once, as in production; a suite that loads plugins of its own would
otherwise be met by every suite after it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: The long ones first, so that the last minute is not one process alone.
LONG = (
    "tests/billing",
    "tests/billing/machine",
    "tests/billing/dunning",
    "tests/billing/usage",
    "tests/provisioning",
    "tests/work",
    "tests/identity",
    "tests/plugin_host",
    "tests/browser",
    "plugins/stripe/tests",
)
_COUNT = re.compile(r"(\d+) (passed|failed|skipped|error|errors)\b")


@dataclass(frozen=True)
class Done:
    """One suite's end."""

    name: str
    code: int
    seconds: float
    output: str
    counts: dict[str, int]


def suites() -> list[str]:
    """Folders of tests: those of the core by floor and their parts, the SDK's, each plugin's."""
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    folders |= {path.parent for path in ROOT.glob("marketplace_sdk/tests/test_*.py")}
    folders |= {path.parent for path in ROOT.glob("plugins/*/tests/test_*.py")}
    names = sorted(str(folder.relative_to(ROOT)) for folder in folders)
    return sorted(names, key=lambda name: LONG.index(name) if name in LONG else len(LONG))


def run(name: str) -> Done:
    """One suite to its end; its output is shown where something failed, at once."""
    started = time.monotonic()
    files = sorted(str(path) for path in (ROOT / name).glob("test_*.py"))  # its parts are suites of their own
    command = [sys.executable, "-m", "pytest", "-q", "--durations=3", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = {
        kind.rstrip("s") if kind == "errors" else kind: int(n)
        for n, kind in _COUNT.findall(done.stdout[-400:])
    }
    ended = Done(name, done.returncode, time.monotonic() - started, done.stdout + done.stderr, found)
    words = ", ".join(f"{count} {kind}" for kind, count in found.items()) or f"exit {done.returncode}"
    print(
        f"{'ok    ' if done.returncode == 0 else 'FAILED'} {name:32} {ended.seconds:6.0f} s  {words}",
        flush=True,
    )
    if done.returncode:
        print(f"\n===== {name} =====\n{ended.output[-20000:]}", flush=True)
    return ended


def main() -> None:
    workers = min(2, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        ended = list(pool.map(run, suites()))
    for one in ended:
        if not one.code and "SKIPPED" in one.output:
            print(*(line for line in one.output.splitlines() if line.startswith("SKIPPED")), sep="\n")
    total = {
        kind: sum(one.counts.get(kind, 0) for one in ended)
        for kind in ("passed", "failed", "error", "skipped")
    }
    broken = sum(
        1 for one in ended if one.code and not one.counts.get("failed") and not one.counts.get("error")
    )
    print(
        f"\n{total['passed']} passed, {total['failed'] + total['error'] + broken} failed, {total['skipped']} skipped"
    )
    sys.exit(1 if any(one.code for one in ended) else 0)


if __name__ == "__main__":
    main()
