"""The webhook storm: events shuffled, ten times each, late, forged, their handlers killed. One ledger must come out.

    python -m tests.harness.storm --deliveries 10000 --seeds 5

First planted bugs must be caught (signatures unchecked; an event noted in another transaction than its job). Then an
orderly run, and one for each seed, all from copies of one database, two side by side. Prints one JSON line, and on
stderr how far it is; exit code 1 where it fails.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import structlog

from chom_core.notifications import smtp
from chom_core.work import lease
from tests.harness import storm_plants, storm_post
from tests.harness.storm_sky import Sky, sky
from tests.harness.storm_verdict import Verdict

#: Seconds after which what a dead handler held is taken back.
LEASE = 2.0
SIDE_BY_SIDE = 2
Run = tuple[Verdict, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Forecast:
    """One run: a planted bug's, where `plant` names it."""

    name: str
    seed: int = 0
    deliveries: int = 0
    calm: bool = False
    plant: str = ""


#: Set before processes are forked: the app and the server in it cannot be sent to them.
_over: Sky


def _blow(forecast: Forecast) -> Run:
    plant = storm_plants.PLANTS.get(forecast.plant)
    return _over.run(forecast.seed, forecast.deliveries, calm=forecast.calm, plant=plant)


def blow_all(
    over: Sky, deliveries: int, seeds: int, tell: Callable[[str], None]
) -> tuple[Verdict, dict[str, Run], list[Run]]:
    """The orderly run, those with planted bugs, and those of the seeds."""
    global _over
    _over = over
    wanted = [
        *(Forecast(f"planted: {name}", plant=name) for name in storm_plants.PLANTS),
        *(Forecast(f"seed {seed}", seed, deliveries) for seed in range(1, seeds + 1)),
        Forecast("orderly", calm=True),  # the shortest of the long ones fills the end
    ]
    gc.collect()
    gc.freeze()  # forked children touch less of this process's memory
    with ProcessPoolExecutor(SIDE_BY_SIDE, get_context("fork")) as pool:
        ran = {one: pool.submit(_blow, one) for one in wanted}
        for one, future in ran.items():
            future.add_done_callback(_teller(one.name, tell))
    of = {one: future.result() for one, future in ran.items()}
    caught = {one.plant: run for one, run in of.items() if one.plant}
    return (
        next(run[0] for one, run in of.items() if one.calm),
        caught,
        [run for one, run in of.items() if one.seed],
    )


def _teller(name: str, tell: Callable[[str], None]) -> Callable[[Future[Run]], None]:
    def ended(future: Future[Run]) -> None:
        if future.exception():
            return tell(f"{name}: broke")
        verdict, figures = future.result()
        return tell(f"{name}: {figures} ledger {verdict.ledger}, {verdict.unheard} unheard")

    return ended


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=10_000, help="of each seed")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    lease.LEASE, lease.BACKOFF = LEASE, 0.05
    smtp.send = lambda server, mail: None
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {what}", file=sys.stderr, flush=True)

    with sky(given.deliveries // (storm_post.TIMES + 1)) as over:
        tell("the story is told")
        calm, caught, runs = blow_all(over, given.deliveries, given.seeds, tell)
    line = report(calm, caught, runs) | {"seconds": round(time.monotonic() - began)}
    print(json.dumps(line))
    good = line["ledger_hashes"] == line["outcome_hashes"] == 1 and line["planted_bugs_caught"] == len(caught)
    wrong = ("forged_accepted", "unheard", "ledger_problems", "dead_jobs")
    return 0 if good and not any(line[name] for name in wrong) else 1


def report(calm: Verdict, caught: dict[str, Run], runs: list[Run]) -> dict[str, Any]:
    """The JSON line."""
    verdicts, figures = [calm, *(verdict for verdict, _ in runs)], [one for _, one in runs]
    return {
        "harness": "storm",
        "seeds": len(runs),
        **{name: sum(one[name] for one in figures) for name in ("deliveries", "forged", "late", "kills")},
        "ledger_entries": calm.entries,
        "ledger_hashes": len({one.ledger for one in verdicts}),
        "outcome_hashes": len({one.rest for one in verdicts}),
        "forged_accepted": sum(one["accepted"] for one in figures),
        "unheard": sum(one.unheard for one in verdicts),
        "ledger_problems": sum(one.problems for one in verdicts),
        "dead_jobs": sum(one.dead for one in verdicts),
        "planted_bugs_caught": sum(
            bool(seen["accepted"] or verdict.unheard) for verdict, seen in caught.values()
        ),
    }


if __name__ == "__main__":
    sys.exit(main())
