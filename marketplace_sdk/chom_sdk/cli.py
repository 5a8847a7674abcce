"""`chom-sdk`: start a plugin, check it. The check is exactly what a review runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

TEMPLATE = Path(__file__).parent / "template"


@click.group()
def main() -> None:
    """For authors of CHOM plugins."""


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--title", default="", help="Its title, as people read it.")
def new(folder: Path, title: str) -> None:
    """Make a plugin in FOLDER; the folder's name is the plugin's name."""
    import copier

    name = folder.name.replace("-", "_")
    if folder.exists() and any(folder.iterdir()):
        click.echo(
            f"chom-sdk: {folder} is not empty.\n          Choose a folder that does not exist yet.", err=True
        )
        sys.exit(1)
    data = {"name": name} | ({"title": title} if title else {})
    try:
        copier.run_copy(str(TEMPLATE), folder, data=data, defaults=True, quiet=True)
    except ValueError as error:
        click.echo(f"chom-sdk: {name!r} is no name for a plugin: {error}", err=True)
        sys.exit(1)
    click.echo(f"{folder} is a plugin now. Next:\n  pip install -e {folder}\n  chom-sdk check {folder}")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("-v", "--verbose", is_flag=True, help="Show each test.")
def check(folder: Path, verbose: bool) -> None:
    """Run the plugin's tests, the contract first of all. Exit 0 means a review would pass."""
    tests = folder / "tests"
    if not any("contract(" in file.read_text() for file in tests.glob("test_*.py")):
        click.echo("chom-sdk: no test asks for the contract.", err=True)
        click.echo('          Add `TestContract = contract("name")` to tests/test_contract.py.', err=True)
        sys.exit(1)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--import-mode=importlib"]
    done = subprocess.run([*command, "-v" if verbose else "-q", str(tests)], check=False)
    click.echo(
        "It keeps the contract." if done.returncode == 0 else "It does not keep the contract yet; see above."
    )
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
