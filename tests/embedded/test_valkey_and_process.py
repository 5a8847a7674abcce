"""The embedded Valkey, and the supervisor of child processes."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
import redis

from chom_core.embedded import Process, Valkey, stop_all
from chom_core.embedded.process import descendants, running
from chom_core.values.errors import Unavailable

STUBBORN = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
FAMILY = "import subprocess,sys; print('up', flush=True); subprocess.run([sys.executable, '-c', 'input()'], stdin=-1)"
POLITE = """
import signal, sys
print("up", flush=True)
signal.sigwait([signal.SIGTERM])
print("down", flush=True)
"""


def test_valkey_answers_is_emptied_killed_and_comes_back_empty() -> None:
    with Valkey() as server:
        client = redis.Redis.from_url(server.url)
        client.set("a", 1)
        server.flush()
        assert client.get("a") is None
        client.set("b", 1)
        server.kill()
        with pytest.raises(redis.ConnectionError):
            client.get("b")
        server.start()
        assert client.get("b") is None
        client.close()
    assert not server.folder.exists()


def child(name: str, code: str, folder: Path) -> Process:
    process = Process(name, [sys.executable, "-c", code], log=folder / f"{name}.log")
    process.start().wait_until(lambda: "up" in process.tail())
    return process


def test_children_are_asked_to_stop_and_do(tmp_path: Path) -> None:
    code = POLITE.replace("import signal, sys", "import signal\nsignal.pthread_sigmask(0, [signal.SIGTERM])")
    polite = [child(f"polite{n}", code, tmp_path) for n in range(2)]
    stop_all(polite)
    assert [process.tail() for process in polite] == ["up\ndown"] * 2
    assert not any(process.alive() for process in polite)


def test_one_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    stubborn = child("stubborn", STUBBORN, tmp_path)
    stubborn.stop(seconds=0.2)
    assert not stubborn.alive()


def test_kill_takes_the_whole_family(tmp_path: Path) -> None:
    parent = child("family", FAMILY, tmp_path)
    parent.wait_until(lambda: bool(descendants(parent.pid)))
    family = [parent.pid, *descendants(parent.pid)]
    parent.kill()
    assert not any(running(pid) for pid in family)


def test_a_child_that_ends_at_once_is_named_with_its_last_words(tmp_path: Path) -> None:
    process = Process("web", [sys.executable, "-c", "raise SystemExit('no such port')"], log=tmp_path / "log")
    with pytest.raises(Unavailable) as ended:
        process.start().wait_until(lambda: False)
    assert "web" in ended.value.detail and "no such port" in ended.value.fix


def test_signals_after_the_end_are_harmless(tmp_path: Path) -> None:
    process = child("gone", "print('up')", tmp_path)
    assert process.wait(20)
    process.signal(signal.SIGTERM)
    process.kill()
    process.stop()
