"""One demo for the whole session, one Chromium, and people who enter the demo with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.person import Crowd, wait

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE = Path(__file__).parents[2] / "chom_core" / "web" / "assets" / "dev" / "axe.js"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is marked `browser`; without a Chromium it skips and says what is missing."""
    missing = "Chromium (apt-get install chromium)" if not CHROMIUM else ""
    missing = missing or ("" if AXE.exists() else f"{AXE.name}: the web assets are not built")
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
        if missing and not os.environ.get("CHOM_REQUIRE_BROWSER"):
            item.add_marker(pytest.mark.skip(reason=f"missing: {missing}"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A demo of its own: its address and its data folder."""
    from chom_core.demo.place import any_port

    place = tmp_path_factory.mktemp("demo")
    log = (place.parent / "browser-demo.log").open("w+")
    command = [
        sys.executable,
        "-m",
        "chom_core.demo",
        "--data",
        str(place),
        "--port",
        str(any_port()),
        "--brief",
    ]
    process = subprocess.Popen(command, cwd=AXE.parents[4], stdout=log, stderr=subprocess.STDOUT)
    try:
        address = wait(
            lambda: _address(process, place, Path(log.name)), "the demo did not start", seconds=240
        )
        yield address, place
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        log.close()


def _address(process: subprocess.Popen[bytes], place: Path, log: Path) -> str:
    assert process.poll() is None, f"the demo ended:\n{log.read_text()[-4000:]}"
    noted = place / "address"
    return noted.read_text() if noted.exists() else ""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "CHOM_REQUIRE_BROWSER is set, and there is no Chromium"
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def crowd(demo: tuple[str, Path], chromium: Any) -> Iterator[Crowd]:
    """`crowd.person()` opens a window of its own; all are closed after the test."""
    made = Crowd(*demo, chromium, AXE.read_text())
    yield made
    made.close()
