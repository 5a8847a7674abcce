"""README, «Write a plugin in ten minutes», followed word for word in an empty folder with an environment of its own."""

from __future__ import annotations

import re
import site
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(r"^```(sh|python file=(\S+))\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str, str]]:
    """(language, file, text) of each block of the section, in order."""
    text = README.read_text()
    section = text.split("## Write a plugin in ten minutes", 1)[1].split("\n## ", 1)[0]
    return [(kind.split()[0], file, body) for kind, file, body in _BLOCK.findall(section)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder with a `.venv` as `./dev` leaves one: it sees everything of ours, and installs into itself."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / ".venv"], check=True)
    packages = next((tmp_path / ".venv" / "lib").iterdir()) / "site-packages"
    ours = [path for path in site.getsitepackages() if path.endswith("site-packages")]
    lines = [f"import site; site.addsitedir({path!r})" for path in ours]
    (packages / "zz_chom.pth").write_text("\n".join(lines) + "\n")
    script = tmp_path / ".venv" / "bin" / "chom-sdk"
    script.write_text(f"#!{tmp_path}/.venv/bin/python\nfrom chom_sdk.cli import main\nmain()\n")
    script.chmod(0o755)
    (tmp_path / ".venv" / "bin" / "uv-build").symlink_to(Path(sys.executable).parent / "uv-build")
    return tmp_path


def test_ten_minutes(folder: Path) -> None:
    found = blocks()
    assert [kind for kind, _, _ in found] == ["sh", "python", "sh"]
    for kind, file, body in found:
        if kind == "python":
            (folder / file).write_text(body)
            continue
        activate = "" if "activate" in body else ". .venv/bin/activate\n"
        done = subprocess.run(
            ["sh", "-ec", activate + body], cwd=folder, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, f"{body}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        assert "It keeps the contract." in done.stdout
