"""Hostile archives are refused before anything is written."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from chom_local_node.types import RunnerError
from chom_local_node.unpack import unzip


def archive(folder: Path, *members: tuple[str, str], mode: int = stat.S_IFREG | 0o644) -> Path:
    path = folder / "core.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("good.txt", "good")
        for name, text in members:
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.external_attr = mode << 16
            bundle.writestr(info, text)
    return path


def test_unpacks_over_what_is_there(tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    (into / "good.txt").write_text("old")
    assert unzip(archive(tmp_path, ("a/b.txt", "b")), into) == 2
    assert (into / "good.txt").read_text() == "good" and (into / "a/b.txt").read_text() == "b"


@pytest.mark.parametrize(
    "name", ["../out.txt", "/out.txt", "a/../../out.txt", "a\\..\\out.txt", "C:/out.txt"]
)
def test_names_that_lead_outside(tmp_path: Path, name: str) -> None:
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(RunnerError, match="leads outside"):
        unzip(archive(tmp_path, (name, "bad")), into)
    assert list(into.iterdir()) == [] and not (tmp_path / "out.txt").exists()


def test_links_and_writes_through_links(tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(RunnerError, match="leads outside"):
        unzip(archive(tmp_path, ("link", "/etc"), mode=stat.S_IFLNK | 0o777), into)
    (into / "a").symlink_to(tmp_path)
    with pytest.raises(RunnerError, match="through a link"):
        unzip(archive(tmp_path, ("a/out.txt", "bad")), into)
    assert not (tmp_path / "out.txt").exists()


def test_bombs(tmp_path: Path) -> None:
    with pytest.raises(RunnerError, match="more than allowed"):
        unzip(archive(tmp_path, ("zeros", "0" * 1000)), tmp_path / "into", most_bytes=999)
    with pytest.raises(RunnerError, match="more than allowed"):
        unzip(archive(tmp_path), tmp_path / "into", most_files=0)
    assert not (tmp_path / "into").exists()
