"""`./dev bench requests`: what a request costs, against a bare Flask + SQLAlchemy app doing the same reads.

Both servers run at once, one granian worker each; rounds are interleaved and the minimum CPU of the server's process
tree counts. Then memory, boot, and what forty installed but idle plugins cost. One JSON object a line.
"""

from __future__ import annotations

import http.cookies
import json
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import calls
from bench.measure import Server, pss_mb
from bench.synthetic import write_plugins
from bench.world import Seeded, prepare
from chom_core.embedded.postgres import Postgres
from chom_core.embedded.valkey import Valkey

#: Many short rounds: on a busy machine a short one is likelier to be undisturbed, and the least of them counts.
ROUNDS, PER_ROUND, IDLE_PLUGINS = 40, 6, 40
BOOTS = 8
Requests = list[tuple[str, str, bytes | None, dict[str, str]]]


@dataclass(frozen=True)
class Scenario:
    """The same work on both sides."""

    name: str
    status: int
    chom: Requests
    floor: Requests


def main() -> None:
    with ExitStack() as stack:
        postgres, valkey = stack.enter_context(Postgres()), stack.enter_context(Valkey())
        plain = prepare(postgres, valkey, "bench_plain", install=())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        names = write_plugins(folder, IDLE_PLUGINS)
        crowded = _prepare_apart(postgres, valkey, folder, names)
        floor_env = {"FLOOR_DB": postgres.url("chom_owner", "bench_floor")}
        subprocess.run([sys.executable, "-m", "bench.floor_app"], env=os.environ | floor_env, check=True)
        floor = stack.enter_context(Server("bench.floor_app:app", _port(), floor_env))
        chom = stack.enter_context(Server("chom_core.wsgi:app", _port(), plain.env))
        crowd = stack.enter_context(
            Server("chom_core.wsgi:app", _port(), crowded.env | {"PYTHONPATH": str(folder)})
        )
        scenarios = _scenarios(plain, chom, floor)
        _compare(chom, floor, scenarios)
        _weigh(chom, floor)
        _boot(floor_env, plain.env, crowded.env | {"PYTHONPATH": str(folder)})
        _idle(chom, crowd, scenarios, _scenarios(crowded, crowd, floor))
        _idle_calls(plain, crowded, {"PYTHONPATH": f"{folder}{os.pathsep}."})


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _prepare_apart(postgres: Postgres, valkey: Valkey, folder: Path, names: list[str]) -> Seeded:
    """In a process of its own: the registry of a process is filled once, and this one must know the forty."""
    code = "import sys; from bench.world import prepare_from_argv; prepare_from_argv(sys.argv)"
    done = subprocess.run(
        [sys.executable, "-c", code, postgres.url(), postgres.url("chom_owner", "bench_crowd"),
         postgres.url("chom_app", "bench_crowd"), valkey.url, "bench_crowd", *names],
        env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}."}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return Seeded(**json.loads(done.stdout.splitlines()[-1]))


def _scenarios(seeded: Seeded, chom: Server, floor: Server) -> list[Scenario]:
    floor_cookie = {"Cookie": f"session={_cookie(floor, '/login', 'session')}"}
    floor_key = {"Authorization": "Bearer floor-token", "Content-Type": "application/json"}
    key = {"Authorization": f"Bearer {seeded.key}", "Content-Type": "application/json"}
    # as a browser: it sends back the cookie of the last page, with the form token in it
    page = {"Cookie": f"chom={_cookie(chom, '/services/', 'chom', seeded.cookie)}"}
    bodies = [_body() for _ in range(PER_ROUND)]
    return [
        Scenario("list of 50 by API", 200, [("GET", "/api/v1/services?limit=50", None, key)] * PER_ROUND,
                 [("GET", "/api/sites", None, floor_key)] * PER_ROUND),
        Scenario("create by API", 201, [("POST", "/api/v1/api-keys", body, key) for body in bodies],
                 [("POST", "/api/sites", body, floor_key) for body in bodies]),
        Scenario("page of 50 rows", 200, [("GET", "/services/", None, page)] * PER_ROUND,
                 [("GET", "/page", None, floor_cookie)] * PER_ROUND),
    ]  # fmt: skip


def _cookie(server: Server, path: str, name: str, sent: str = "") -> str:
    """What the page at `path` sets as the cookie `name`."""
    answer = server.get(path, {"Cookie": f"{name}={sent}"} if sent else {})
    return http.cookies.SimpleCookie(answer[2]["Set-Cookie"])[name].value


def _body() -> bytes:
    return json.dumps({"name": f"bench {os.urandom(6).hex()}", "role": "viewer"}).encode()


def _fresh(scenario: Requests) -> Requests:
    """Names are unique, so a create needs new ones each round."""
    return [(method, path, _body() if body else None, headers) for method, path, body, headers in scenario]


def _compare(chom: Server, floor: Server, scenarios: list[Scenario]) -> None:
    best: dict[tuple[str, str], float] = {}
    for turn in range(ROUNDS + 1):
        for one in scenarios:
            for side, server, requests in (("chom", chom, one.chom), ("floor", floor, one.floor)):
                cost = server.cost_ms(_fresh(requests), one.status)
                if turn:  # the first round warms up
                    best[one.name, side] = min(best.get((one.name, side), 1e9), cost)
    for one in scenarios:
        _line("cpu_ms", best[one.name, "chom"], "ms", best[one.name, "floor"], scenario=one.name)


def _weigh(chom: Server, floor: Server) -> None:
    _line(
        "memory_mb",
        pss_mb(chom.worker),
        "MB",
        pss_mb(floor.worker),
        of="PSS of one worker, after the requests",
    )


def _boot(floor_env: dict[str, str], plain: dict[str, str], crowded: dict[str, str]) -> None:
    """CPU from start to the first answer, compiled files in place; the least of a few starts each."""
    best: dict[str, float] = {}
    for _ in range(BOOTS):
        for name, target, env in (
            ("floor", "bench.floor_app:app", floor_env),
            ("plain", "chom_core.wsgi:app", plain),
            ("crowded", "chom_core.wsgi:app", crowded),
        ):
            with Server(target, _port(), env) as server:
                best[name] = min(best.get(name, 1e9), server.boot_cpu_s)
    _line("boot_cpu_s", best["plain"], "s", best["floor"], plugins=0)
    each = (best["crowded"] - best["plain"]) / IDLE_PLUGINS * 1000
    _line("boot_ms_a_plugin", each, "ms", None, plugins=IDLE_PLUGINS)


def _idle(plain: Server, crowd: Server, mine: list[Scenario], theirs: list[Scenario]) -> None:
    """The same requests with forty plugins installed and none enabled, and with none installed: their CPU."""
    for a, b in zip(mine, theirs, strict=True):
        best = {"plain": 1e9, "crowd": 1e9}
        for turn in range(ROUNDS * 2):  # in turns first and second: who comes second finds the caches cold
            sides = (("plain", plain, a), ("crowd", crowd, b))
            for name, server, one in sides if turn % 2 else sides[::-1]:
                best[name] = min(best[name], server.cost_ms(_fresh(one.chom), one.status))
        ratio = best["crowd"] / best["plain"]
        _line("idle_plugins_ratio", ratio, "", None, scenario=a.name, installed=IDLE_PLUGINS, enabled=0)


def _idle_calls(plain: Seeded, crowded: Seeded, path: dict[str, str]) -> None:
    """The same in calls of functions: on a busy machine the CPU of two equal servers differs by more than 2 %."""
    mine, theirs = calls.count(plain, {}), calls.count(crowded, path)
    for name, count in mine.items():
        ratio = theirs[name] / count
        _line(
            "idle_plugins_calls_ratio",
            ratio,
            "",
            None,
            scenario=name,
            calls=round(count),
            of=round(theirs[name]),
        )


def _line(metric: str, value: float, unit: str, floor: float | None, **parameters: Any) -> None:
    line: dict[str, Any] = {
        "bench": "requests",
        "metric": metric,
        "value": round(value, 3),
        "unit": unit,
        **parameters,
    }
    if floor is not None:
        line |= {"floor": round(floor, 3), "ratio": round(value / floor, 3)}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
