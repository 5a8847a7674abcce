"""A small storm in every test run; `./dev storm` blows the great ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_one_ledger_comes_out_and_planted_bugs_are_caught() -> None:
    """In a process of its own: it forks, and makes jobs of this one's registry immortal."""
    command = [sys.executable, "-m", "tests.harness.storm", "--deliveries", "200", "--seeds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    line = json.loads(done.stdout)
    wanted = {
        "ledger_hashes": 1,
        "outcome_hashes": 1,
        "forged_accepted": 0,
        "unheard": 0,
        "planted_bugs_caught": 2,
    }
    assert {name: line[name] for name in wanted} == wanted
    assert line["deliveries"] >= 200
    assert line["kills"] > 0
