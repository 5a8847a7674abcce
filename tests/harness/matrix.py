"""`./dev matrix`: every route × method × caller × own and another's ids × plugin on and off, on the real app.

The calls are made from the url map, so a new route is in the matrix the day it is written. Each organisation's data
holds a canary text that no other may ever be sent. Every change in the database is written down by triggers and taken
back after the call. The run first proves itself on holes planted on purpose. One JSON line; exit 1 on any offence.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect

from chom_core.database import PLATFORM_ID
from chom_core.embedded.postgres import Postgres
from chom_core.plugin_host import gate, registry
from chom_core.rest.access import routes
from chom_sdk.testing import World
from chom_sdk.testing.bodies import body
from chom_sdk.testing.server import Server
from chom_sdk.testing.surfaces import METHODS, Call, address, calls
from tests.harness import matrix_forms, matrix_planted
from tests.harness.matrix_changes import Changes
from tests.harness.matrix_samples import of_each
from tests.harness.matrix_verdict import SAFE, expected, may_enter, may_see_all
from tests.harness.matrix_world import Caller, Home, Matrix
from tests.plugins.loading import GOOD, tests_plugins

#: Processes that share the callers among them.
PARTS = 2
COUNTS = ("leaks", "foreign_writes", "unclassified", "wrong_status")


@dataclass
class Report:
    """What was seen. `offences`: (what, rule, words)."""

    combinations: int = 0
    offences: list[tuple[str, str, str]] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)

    def count(self, what: str) -> int:
        return sum(kind == what for kind, *_ in self.offences)

    def add(self, other: Report) -> None:
        """What another part of the run saw."""
        self.combinations += other.combinations
        self.offences += other.offences
        self.answers += other.answers

    def line(self, seconds: float, caught: bool) -> dict[str, Any]:
        counts = {what: self.count(what) for what in COUNTS}
        return {
            "combinations": self.combinations,
            **counts,
            "planted_caught": caught,
            "seconds": round(seconds, 1),
        }


class Run:
    """One walk over an app."""

    def __init__(
        self,
        app: Flask,
        matrix: Matrix,
        changes: Changes,
        only: str = "",
        share: float = 1.0,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        self.app, self.matrix, self.changes = app, matrix, changes
        #: The callers of this part of the run.
        self.callers = matrix.callers[part[0] :: part[1]]
        self.only, self.share = only, share
        self.random = random.Random(matrix.seed)
        self.report = Report()
        self.client = app.test_client(use_cookies=False)
        self.forms: dict[str, dict[str, str]] = {}
        self._calls: dict[str, list[Call]] = {}

    def walk(self) -> Report:
        """Everything; afterwards every data base row is as it was."""
        if self.callers[0] is self.matrix.callers[0]:
            self._unclassified()
        self._harvest()
        for caller in self.callers:
            for target in caller.targets:
                self._as(caller, target, on=True)
        self._switch_off()
        for caller in self.callers:
            self._as(caller, caller.targets[0], on=False)
        return self.report

    def _unclassified(self) -> None:
        known = routes(self.app)
        for rule in self.app.url_map.iter_rules():
            if rule.endpoint not in known:
                self.report.combinations += len(METHODS)
                self.report.offences.append(("unclassified", str(rule), "nobody declared who may call it"))

    def _calls_of(self, home: Home) -> list[Call]:
        """Each address × method once, with the endpoint that really answers there."""
        if home.canary in self._calls:
            return self._calls[home.canary]
        known, found = routes(self.app), {}
        adapter = self.app.url_map.bind("localhost")
        for call in calls(self.app, "*", self.matrix.ids(home)):
            if not call.rule.startswith(self.only) or call.rule.startswith("/assets/"):
                continue
            try:
                endpoint = adapter.match(call.url, method=call.method)[0]
                allowed = True
            except MethodNotAllowed:
                endpoint, allowed = call.endpoint, False
            except (RequestRedirect, HTTPException):
                continue
            if endpoint not in known:
                continue
            made = Call(endpoint, call.rule, call.url, call.method, allowed, known[endpoint], call.arguments)
            found[call.url, call.method] = made
        self._calls[home.canary] = list(found.values())
        return self._calls[home.canary]

    def _harvest(self) -> None:
        """Read the forms of every page of the first organisation's owner, of staff, and of the reseller's owner."""
        first = self.matrix.homes[0]
        adapter = self.app.url_map.bind("localhost")
        resells = [home.seller for home in self.matrix.homes if home.seller]
        readers = {f"owner of {home.canary}": home for home in (first, *resells)} | {"staff admin": first}
        for caller in self.matrix.callers:
            if caller.name not in readers:
                continue
            for call in self._calls_of(readers[caller.name]):
                if call.method != "GET" or call.is_api or not call.allowed:
                    continue
                page = caller.call(self.client, call, None, {})
                self.changes.take_back()
                if page.mimetype != "text/html":
                    continue
                for action, fields in matrix_forms.read(page.text, call.url).items():
                    try:
                        endpoint = adapter.match(action.split("?")[0], method="POST")[0]
                    except HTTPException:
                        continue
                    self.forms.setdefault(str(endpoint), fields)

    def _form(self, call: Call, target: Home) -> dict[str, str]:
        """The harvested form, in the name of `target`: its ids, its canary as the text typed."""
        own = {str(value): name for name, value in self.matrix.homes[0].ids.items()}
        fields = {}
        for name, value in self.forms.get(call.endpoint, {}).items():
            known = own.get(value)
            text = str(target.ids[known]) if known else value
            fields[name] = text.replace(self.matrix.homes[0].canary, target.canary)
            if "confirm" in name:
                fields[name] = target.canary
        return fields

    def _as(self, caller: Caller, target: Home, *, on: bool) -> None:
        for call in self._calls_of(target):
            takes_ids = bool(call.arguments & {name.rsplit(".", 1)[-1] for name in target.ids})
            foreign = takes_ids and target is not caller.home
            if (target is not caller.targets[0] and not takes_ids) or (
                not on and call.declared.plugin not in registry.loaded
            ):
                continue
            if self.share < 1 and self.random.random() > self.share:
                continue
            self._one(caller, target, call, on=on, foreign=foreign)

    def _one(self, caller: Caller, target: Home, call: Call, *, on: bool, foreign: bool) -> None:
        takes = call.declared.takes
        sent = body(takes, target.canary[:20]) if takes and call.method not in SAFE else None
        try:
            answer = caller.call(self.client, call, sent, self._form(call, target))
        except Exception as error:
            self.changes.take_back()
            self._offence("wrong_status", caller, call, f"raised {type(error).__name__}: {error}"[:200])
            self.report.combinations += 1
            return
        self.report.combinations += 1
        self.report.answers[answer.status_code] += 1
        right = expected(call, caller, on=on, foreign=foreign)
        if answer.status_code not in right:
            when = f"{' (off)' if not on else ''}{' (foreign id)' if foreign else ''}"
            words = f"{answer.status_code}, not {sorted(right)}{when}"
            self._offence("wrong_status", caller, call, words)
        self._search(caller, target, call, answer)
        self._compare(caller, call)

    def _search(self, caller: Caller, target: Home, call: Call, answer: Any) -> None:
        """No other organisation's canary in anything that was sent back, headers included."""
        if may_see_all(call, caller):
            return
        text = answer.get_data().decode(errors="replace") + str(answer.headers)  # a PDF is no text
        sent = target.canary if call.method not in SAFE and target is not caller.home else ""
        for home in self.matrix.homes:
            if not may_enter(call, caller, home) and home.canary != sent and home.canary in text:
                self._offence("leaks", caller, call, f"shows {home.canary}")

    def _compare(self, caller: Caller, call: Call) -> None:
        """No row of another organisation, or of its people, was touched."""
        changed = self.changes.take_back()
        if may_see_all(call, caller):
            return
        for home in self.matrix.homes:
            theirs = home.people | {str(home.id)}
            touched = sorted({f"{c.op.lower()} {c.place}" for c in changed if c.owners() & theirs})
            if touched and not may_enter(call, caller, home):
                self._offence("foreign_writes", caller, call, f"{', '.join(touched)} of {home.canary}")

    def _offence(self, what: str, caller: Caller, call: Call, words: str) -> None:
        self.report.offences.append((what, call.rule, f"{call.method} as {caller.name}: {words}"))

    def _switch_off(self) -> None:
        """The plugins are off everywhere from now on: the end of the walk."""
        for plugin in registry.loaded:
            with self.matrix.world.staff():
                gate.switch(PLATFORM_ID, plugin, on=False, by="staff")
                for home in self.matrix.homes if plugin in of_each() else ():
                    gate.switch(home.id, plugin, on=False, by="staff")
        self.changes.forget()


@contextmanager
def place(postgres: Postgres, server: Server, seed: int) -> Iterator[tuple[Matrix, Changes]]:
    """A furnished world on a database of its own."""
    with server.database() as name:
        matrix = Matrix(World(server, name), seed)
        matrix.finish()
        changes = Changes(postgres.url("postgres", name))
        try:
            yield matrix, changes
        finally:
            changes.close()


def self_test(postgres: Postgres, server: Server, seed: int) -> set[tuple[str, str]]:
    """The planted holes that a run does not find."""
    from chom_core.app import create_app

    app = server._app
    server._app = None
    with server.database() as name:
        planted = create_app(server.settings(name))
        planted.testing = True
        matrix_planted.plant(planted)
        server._app = planted
    try:
        with place(postgres, server, seed) as (matrix, changes):
            report = Run(planted, matrix, changes, "/planted").walk()
    finally:
        server._app = app
    return matrix_planted.HOLES - {(what, rule) for what, rule, _ in report.offences}


def run(seed: int = 7, share: float = 1.0, only: str = "") -> tuple[Report, set[tuple[str, str]], float]:
    """The whole thing: holes first, then the app. Returns the report, holes not found, and the seconds."""
    logging.disable(logging.CRITICAL)
    try:
        with tests_plugins(), Postgres() as postgres:
            server = Server(postgres, [GOOD])
            started = time.monotonic()
            missed = self_test(postgres, server, seed)
            report = Report()
            for one in _parts(postgres, server, seed, share, only):
                report.add(one)
            return report, missed, time.monotonic() - started
    finally:
        logging.disable(logging.NOTSET)


def _parts(postgres: Postgres, server: Server, seed: int, share: float, only: str) -> Iterator[Report]:
    """The report of each process: one for each share of the callers, on a database of its own."""
    fork, started = get_context("fork"), []

    def work(number: int, sender: Connection) -> None:
        with place(postgres, server, seed) as (matrix, changes):
            sender.send(Run(matrix.world.app, matrix, changes, only, share, (number, PARTS)).walk())

    for number in range(PARTS):
        receiver, sender = fork.Pipe(duplex=False)
        process = fork.Process(target=work, args=(number, sender))
        process.start()
        sender.close()
        started.append((process, receiver))
    for process, receiver in started:
        with receiver:
            yield receiver.recv()  # EOFError where the process died: its traceback is on stderr
        process.join()


def main() -> None:
    """Run it, print the line, name the offenders."""
    parser = argparse.ArgumentParser(prog="./dev matrix", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--share", type=float, default=1.0, help="of all combinations, drawn by the seed")
    parser.add_argument("--only", default="", help="routes that begin so")
    parser.add_argument(
        "--self-test", action="store_true", help="only the planted holes and a hundredth of the rest"
    )
    given = parser.parse_args()
    report, missed, seconds = run(given.seed, 0.01 if given.self_test else given.share, given.only)
    for what, rule, words in sorted(set(report.offences)):
        print(f"{what}: {rule}: {words}", file=sys.stderr)
    for what, rule in sorted(missed):
        print(f"planted and not caught: {what} at {rule}", file=sys.stderr)
    print(json.dumps(report.line(seconds, not missed)), flush=True)
    sys.exit(1 if missed or report.offences else 0)


__all__ = ["Report", "Run", "address", "run"]

if __name__ == "__main__":
    main()
