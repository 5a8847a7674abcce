"""`./dev NAME`: the shell script and the tasks agree on who reads arguments."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_task_that_reads_arguments_of_its_own_gets_them() -> None:
    """invoke would refuse `--months 24` of a task that `dev` does not hand over whole."""
    tasks = ast.parse((ROOT / "tasks.py").read_text()).body
    reading = {
        task.name
        for task in tasks
        if isinstance(task, ast.FunctionDef) and task.decorator_list and "rest()" in ast.unparse(task)
    }
    case = re.search(r"^ +([a-z| -]+)\) # these read their own arguments", (ROOT / "dev").read_text(), re.M)
    assert case and set(case[1].split(" | ")) == reading
    assert len(reading) >= 7
