"""How many calls of functions a request takes, Python's and C's: the same on every machine, however busy.

`python -m bench.calls` with a seeded world as JSON in argv; one JSON object: scenario → calls.
"""

from __future__ import annotations

import cProfile
import gc
import json
import os
import pstats
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from bench.world import Seeded

REQUESTS = 50


def count(seeded: Seeded, env: dict[str, str]) -> dict[str, float]:
    """Calls per request of each scenario, in a process of its own."""
    command = [sys.executable, "-m", "bench.calls", json.dumps(asdict(seeded))]
    done = subprocess.run(command, env=os.environ | env, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    seeded = Seeded(**json.loads(sys.argv[1]))
    os.environ.update(seeded.env)
    from chom_core.wsgi import app

    client = app.test_client()
    client.set_cookie("chom", seeded.cookie)
    key = {"Authorization": f"Bearer {seeded.key}"}

    def create() -> Any:
        body = {"name": os.urandom(6).hex(), "role": "viewer"}
        return client.post("/api/v1/api-keys", json=body, headers=key)

    print(json.dumps({
        "list of 50 by API": _calls(lambda: client.get("/api/v1/services?limit=50", headers=key)),
        "create by API": _calls(create),
        "page of 50 rows": _calls(lambda: client.get("/services/")),
    }))  # fmt: skip


def _calls(request: Callable[[], Any]) -> float:
    for _ in range(20):  # what is done once is not the request's
        assert request().status_code < 300
    gc.disable()
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(REQUESTS):
        request()
    profile.disable()
    return float(pstats.Stats(profile).total_calls) / REQUESTS  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
