"""What `./dev NAME` does. Each task hands over to the module that does the work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from invoke import Context, Exit, task

ROOT = Path(__file__).resolve().parent


def become(*command: str) -> None:
    """Replace this process, so that Ctrl-C and exit codes reach the command itself."""
    os.chdir(ROOT)
    os.execvp(command[0], list(command))


def module(name: str, *arguments: str) -> None:
    """Become `python -m name arguments`."""
    become(sys.executable, "-m", name, *arguments)


def rest() -> list[str]:
    """What stands after the task's name: `dev` puts `--` before it (invoke's own copy loses quotes)."""
    return sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []


@task(
    help={
        "check": "run the main job headless over HTTP in a demo of its own, and stop",
        "port": "the web address's port",
        "fresh": "forget the last demo's data first",
        "brief": "without the months that lie behind; starts sooner",
    }
)
def demo(_: Context, check: bool = False, port: int = 0, fresh: bool = False, brief: bool = False) -> None:
    """A whole CHOM on this machine, with people and sites in it; Ctrl-C stops it."""
    flags = [f"--{name}" for name, given in (("check", check), ("fresh", fresh), ("brief", brief)) if given]
    module("chom_core.demo", *flags, *(["--port", str(port)] if port else []))


@task
def test(_: Context) -> None:
    """All tests, each suite in a process of its own; ./dev test PATH -k NAME for some of them."""
    arguments = rest()
    if arguments:
        module("pytest", *arguments)
    module("tools.suites")


def typed_packages() -> list[str]:
    """The packages held to mypy's strict rules."""
    plugins = sorted(found.relative_to(ROOT).as_posix() for found in ROOT.glob("plugins/*/chom_*"))
    return [name for name in ("chom_core", "marketplace_sdk/chom_sdk", *plugins) if (ROOT / name).is_dir()]


CHECKS = {
    "style": ["ruff", "check", "."],
    "formatting": ["ruff", "format", "--check", "."],
    "types": ["mypy", *typed_packages()],
    "floors": ["lint-imports", "--no-cache"],
    "house rules": [sys.executable, "-m", "tools.lints"],
}


@task
def check(_: Context) -> None:
    """Style, formatting, types, floors and the house rules; a line for each, then what failed."""
    failed = []
    for name, command in CHECKS.items():
        began = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        word = "failed" if done.returncode else "ok"
        print(f"{name:<12} {word:<7} {time.monotonic() - began:5.1f} s   {Path(command[0]).name}", flush=True)
        if done.returncode:
            failed.append(name)
            print(f"{done.stdout}{done.stderr}", flush=True)
    if failed:
        raise Exit(f"check: {len(failed)} of {len(CHECKS)} failed: {', '.join(failed)}", code=1)
    print(f"check: all {len(CHECKS)} passed")


@task
def fix(_: Context) -> None:
    """Mend style and formatting where a tool can."""
    subprocess.run(["ruff", "check", "--fix", "--quiet", "."], cwd=ROOT)
    become("ruff", "format", ".")


@task
def bench(_: Context) -> None:
    """./dev bench NAME: dispatch, requests, jobs; one JSON object a line."""
    names = sorted(path.stem for path in (ROOT / "bench").glob("[a-z]*") if path.name != "lib")
    arguments = rest()
    if not arguments or arguments[0] not in names:
        raise Exit(
            f"Say which benchmark: ./dev bench NAME, with NAME one of: {', '.join(names) or 'none yet'}",
            code=2,
        )
    module(f"bench.{arguments[0]}", *arguments[1:])


@task
def simulate(_: Context) -> None:
    """./dev simulate --months N --tenants M --seed S: a company over months on a database of its own; one JSON line."""
    module("chom_core.simulation", *rest())


@task
def crash(_: Context) -> None:
    """./dev crash --kills N --seed S: kill at every step, then count what was lost or doubled."""
    module("tests.harness.crash", *rest())


@task
def storm(_: Context) -> None:
    """./dev storm --deliveries N --seeds S: webhooks shuffled, ×10, late, forged, handlers killed; one JSON line."""
    module("tests.harness.storm", *rest())


@task
def matrix(_: Context) -> None:
    """Every route, method, role, tenant and plugin state: who sees what; one JSON line."""
    module("tests.harness.matrix", *rest())


@task(help={"name": "lower case, words joined by _"})
def new_plugin(_: Context, name: str) -> None:
    """Start a plugin in plugins/NAME from the SDK's template."""
    become("chom-sdk", "new", f"plugins/{name}")


@task
def migration(_: Context) -> None:
    """./dev migration "what changes" [--plugin NAME]: write the next migration from the models."""
    module("tools.migration", *rest())


@task
def docs(_: Context) -> None:
    """Write docs/hooks.md from the hook specifications."""
    module("tools.docs")


@task
def screenshots(_: Context) -> None:
    """Take docs/screenshots anew, from a demo of its own; needs Chromium."""
    module("tools.screenshots")


@task
def lock(_: Context) -> None:
    """Compile requirements.in to requirements.lock: newest versions, hashes, no addresses."""
    become(
        *("uv", "pip", "compile", "--quiet", "--upgrade", "--generate-hashes", "--no-emit-index-url"),
        *("--no-header", "--universal", "--python-version", "3.11"),
        *("requirements.in", "--output-file", "requirements.lock"),
    )
