"""`./dev demo --check`: a demo of its own, the whole main job over HTTP, everything stopped again."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
import traceback
from pathlib import Path

from chom_core.demo.check.browser import CheckFailed
from chom_core.demo.house import House
from chom_core.demo.place import Place, any_port, processes
from chom_core.demo.say import complain, plain, say
from chom_core.values.errors import ChomError

#: Seconds for everything, the first fetch of the WordPress runtime included.
LIMIT = 900


def check() -> int:
    """0 where the whole job was done; 1 with the reason where not."""
    folder = Path(tempfile.mkdtemp(prefix="chom-check-"))
    place = Place(folder)
    plain(f"CHOM's main job, in a demo of its own (at most {LIMIT // 60} minutes)")
    failures: list[str] = []
    try:
        place.open()
        _within(place, failures)
        left = [f"process {pid} in {where}" for pid, where in processes(folder)]
        if left:
            failures.append(f"after stopping there was still {', '.join(left)}")
    except ChomError as error:
        failures.append(f"{error.detail} {error.fix}".strip())
    finally:
        if not failures or not os.environ.get("CHOM_CHECK_KEEP"):
            shutil.rmtree(folder, ignore_errors=True)
    if failures:
        for failure in failures:
            complain(f"\ncheck failed: {failure}")
        return 1
    say("everything is stopped and removed. The main job works.")
    return 0


def _within(place: Place, failures: list[str]) -> None:
    from chom_core.demo.__main__ import stopper

    with House(place, any_port()) as house:
        stop = stopper()
        # the main thread keeps the children alive, as it does in a demo: they die with the thread that starts them
        runner = threading.Thread(target=_run, args=(house, stop, failures), daemon=True)
        runner.start()
        house.keep(stop)
        if runner.is_alive() and not failures:
            failures.append("it was interrupted")
        if failures:
            _show_logs(house)
        say("stopping")


def _run(house: House, stop: threading.Event, failures: list[str]) -> None:
    from chom_core.demo.check.job import run

    try:
        run(house.url, house.password, house.place, time.monotonic() + LIMIT)
    except CheckFailed as error:
        failures.append(_words(error))
    except Exception:
        failures.append(traceback.format_exc())
    finally:
        stop.set()


def _words(error: CheckFailed) -> str:
    if error.page is None:
        return str(error)
    return f"{error}\n  page: {error.page.url} ({error.page.status})\n  it says: {error.page.complaint()}"


def _show_logs(house: House) -> None:
    for log, tail in house.tails():
        complain(f"\n--- the end of {log.name}\n{tail}")
