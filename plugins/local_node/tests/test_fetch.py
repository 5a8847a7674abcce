"""The fetch is whole or not there, and two of them are one. npm is played by a short program here."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from chom_local_node import fetch
from chom_local_node.nodejs import NodeJs
from chom_local_node.types import Progress, RunnerError

NPM = """
import os, pathlib, sys, zipfile
calls = pathlib.Path(os.environ["CALLS"]); calls.open("a").write("npm\\n")
print("npm error code E999"); print("npm error no such registry")
if os.environ.get("NPM_FAILS"): sys.exit(1)
while os.environ.get("NPM_HANGS") and not pathlib.Path(os.environ["NPM_HANGS"]).exists(): os.sched_yield()
builds = pathlib.Path("node_modules/@wp-playground/wordpress-builds")
(builds / "public/wp-6.5/wp-content/themes").mkdir(parents=True)
(builds / "package.json").write_text("{}")
(builds / "src/wordpress").mkdir(parents=True)
with zipfile.ZipFile(builds / "src/wordpress/wp-6.5.zip", "w") as bundle:
    for name in ("wp-load.php", "wp-config.php", "wp-includes/version.php", "wp-content/database/.ht.sqlite"):
        bundle.writestr(name, name)
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    calls = tmp_path / "calls"
    monkeypatch.setenv("CALLS", str(calls))
    monkeypatch.setattr(fetch, "find_node", lambda: NodeJs(sys.executable, (sys.executable, "-c", NPM), 24))
    return calls


def test_fetches_once(tmp_path: Path, calls: Path) -> None:
    seen: list[Progress] = []
    runtime = fetch.fetch(tmp_path / "base", seen.append)
    assert fetch.fetch(tmp_path / "base") == runtime == fetch.present(tmp_path / "base")
    assert calls.read_text() == "npm\n"
    assert (runtime.template / "wp-load.php").exists()
    assert not (runtime.template / "wp-content/database").exists()
    assert not (runtime.folder / "node_modules/@wp-playground/wordpress-builds").exists()
    counted = [progress for progress in seen if progress.unit == "packages"]
    assert counted[0].done == 0 and counted[0].total == packages()


def packages() -> int:
    return len(json.loads((fetch.FILES / "package-lock.json").read_text())["packages"]) - 1


def test_a_failed_fetch_says_why_and_leaves_nothing(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPM_FAILS", "1")
    with pytest.raises(RunnerError, match="E999 / npm error no such registry") as caught:
        fetch.fetch(tmp_path / "base")
    assert caught.value.fix and [path.name for path in (tmp_path / "base").iterdir()] == [".lock"]
    monkeypatch.delenv("NPM_FAILS")
    assert fetch.fetch(tmp_path / "base").template.exists()


def test_after_a_kill_the_next_fetch_waits_for_its_npm_and_begins_anew(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, base = tmp_path / "go", tmp_path / "base"
    program = (
        f"import sys, pathlib; from chom_local_node import fetch; from chom_local_node.nodejs import NodeJs;"
        f"fetch.find_node = lambda: NodeJs(sys.executable, (sys.executable, '-c', {NPM!r}), 24);"
        f"fetch.fetch(pathlib.Path({str(base)!r}))"
    )
    environment = {**os.environ, "NPM_HANGS": str(go)}
    where = Path(fetch.__file__).parents[1]
    with subprocess.Popen([sys.executable, "-c", program], env=environment, cwd=where) as first:
        while not (calls.exists() and calls.read_text()):
            os.sched_yield()
        first.send_signal(signal.SIGKILL)
    assert fetch.present(base) is None
    try:
        # The killed fetch is gone, its npm still works in its folder.
        with (base / ".lock").open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        go.touch()  # lets that npm end
    subprocess.run([sys.executable, "-c", program], cwd=where, check=True, timeout=60)
    assert calls.read_text() == "npm\nnpm\n" and fetch.present(base)
    assert sorted(path.name for path in base.iterdir()) == sorted([".lock", fetch.present(base).folder.name])


def test_a_core_without_its_parts_is_refused(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = NPM.replace('"wp-load.php", ', "")
    monkeypatch.setattr(fetch, "find_node", lambda: NodeJs(sys.executable, (sys.executable, "-c", short), 24))
    with pytest.raises(RunnerError, match=r"lacks wp-load\.php"):
        fetch.fetch(tmp_path / "base")
    assert fetch.present(tmp_path / "base") is None


def test_no_address_in_the_lock() -> None:
    text = (fetch.FILES / "package-lock.json").read_text()
    assert '"resolved"' not in text and text.count('"integrity"') == packages()
