"""Get the WordPress runtime once: Playground (PHP in WebAssembly) by npm, and a whole WordPress core as a template.

The result is one folder named after the lock file it came from. It is built in a temporary folder beside it and renamed
when complete, so it is there whole or not at all; a lock makes a second fetch wait for the first.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .nodejs import NodeJs, find_node
from .records import locked
from .types import N_, Progress, Report, RunnerError, silent
from .unpack import unzip
from .users import usable_root

FILES = Path(__file__).parent / "files"
CORE = "wp-6.5"  # the newest release in @wp-playground/wordpress-builds, the one source that is not wordpress.org
_BUILDS = "node_modules/@wp-playground/wordpress-builds"
_RECIPE = "1"  # raise it when what this module makes of the packages changes


@dataclass(frozen=True)
class Runtime:
    """A complete runtime in `folder`; `seconds` and `megabytes` are what its fetch took."""

    folder: Path
    seconds: float
    megabytes: int

    @property
    def cli(self) -> Path:
        return self.folder / "node_modules/@wp-playground/cli/wp-playground.js"

    @property
    def template(self) -> Path:
        return self.folder / "wordpress"


def default_folder() -> Path:
    """Where runtimes are shared: CHOM_PLAYGROUND_RUNTIME, else this user's cache."""
    if chosen := os.environ.get("CHOM_PLAYGROUND_RUNTIME"):
        return Path(chosen).absolute()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return usable_root(cache / "chom" / "playground")


def present(base: Path) -> Runtime | None:
    """The complete runtime under `base`, or None. Costs one small read."""
    folder = base / _key()
    try:
        notes = json.loads((folder / "ready.json").read_text())
    except FileNotFoundError:
        return None
    return Runtime(folder, notes["seconds"], notes["megabytes"])


def fetch(base: Path, report: Report = silent) -> Runtime:
    """The runtime under `base`, fetched now if it is not there. About 600 MB pass through; 300 MB stay.

    Raises RunnerError with npm's last words when the packages cannot be had.
    """
    if found := present(base):
        return found
    base.mkdir(parents=True, exist_ok=True)
    base.chmod(0o755)
    report(Progress(N_("Waiting for another fetch to finish")))
    with locked(base / ".lock") as lock:
        if found := present(base):
            return found
        # What a killed fetch left: its npm is dead too, for it held the lock as long as it lived.
        for leftover in base.glob(".fetching-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        return _fetch(base, find_node(), lock, report)


def _fetch(base: Path, node: NodeJs, lock: int, report: Report) -> Runtime:
    begun = time.monotonic()
    temp = Path(tempfile.mkdtemp(prefix=".fetching-", dir=base))
    try:
        temp.chmod(0o755)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(FILES / name, temp / name)
        _install_packages(temp, node, lock, report)
        report(Progress(N_("Unpacking WordPress")))
        _make_template(temp)
        shutil.rmtree(temp / _BUILDS)
        runtime = Runtime(base / _key(), round(time.monotonic() - begun, 1), _megabytes(temp))
        notes = {"seconds": runtime.seconds, "megabytes": runtime.megabytes}
        (temp / "ready.json").write_text(json.dumps(notes))
        temp.rename(runtime.folder)
        return runtime
    finally:
        shutil.rmtree(temp, ignore_errors=True)


def _install_packages(folder: Path, node: NodeJs, lock: int, report: Report) -> None:
    """`npm ci` without anybody's scripts. npm holds our lock as well: if we are killed, the next fetch waits for it."""
    packages = [path for path in json.loads((folder / "package-lock.json").read_text())["packages"] if path]
    log = folder / "npm.log"
    command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    path = os.pathsep.join((str(Path(node.executable).parent), os.environ.get("PATH", "")))
    with log.open("wb") as output:
        npm = subprocess.Popen(
            command, cwd=folder, env={**os.environ, "PATH": path}, pass_fds=(lock,), umask=0o022,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
        try:
            while True:
                done = sum((folder / path / "package.json").exists() for path in packages)
                report(Progress(N_("Fetching WordPress Playground"), done, len(packages), "packages"))
                try:
                    npm.wait(timeout=1)
                    break
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if npm.poll() is None:
                npm.kill()
                npm.wait()
    if npm.returncode != 0:
        words = [line for line in log.read_text(errors="replace").splitlines() if "npm error" in line]
        raise RunnerError(
            f"npm could not fetch WordPress Playground: {' / '.join(words[:3]) or f'exit {npm.returncode}'}",
            fix="Check the network and npm's registry setting, then try again; nothing half-done was kept.",
        )


def _make_template(folder: Path) -> None:
    """A whole core: its static files lie open in the package, its PHP files in a zip."""
    builds, template = folder / _BUILDS, folder / "wordpress"
    shutil.copytree(builds / "public" / CORE, template)
    unzip(builds / "src/wordpress" / f"{CORE}.zip", template)
    # A ready-made database with a known password, and a list that sends Playground elsewhere for static files.
    shutil.rmtree(template / "wp-content/database", ignore_errors=True)
    (template / "wordpress-remote-asset-paths").unlink(missing_ok=True)
    for needed in ("wp-load.php", "wp-config.php", "wp-includes/version.php", "wp-content/themes"):
        if not (template / needed).exists():
            raise RunnerError(f"The fetched WordPress lacks {needed}.", fix="Fetch the runtime again.")


def _key() -> str:
    return hashlib.sha256((FILES / "package-lock.json").read_bytes() + _RECIPE.encode()).hexdigest()[:12]


def _megabytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*")) // 1_000_000
