"""Forty plugins as authors make them, by `chom-sdk new`'s own template, with the metadata an installer would write."""

from __future__ import annotations

from pathlib import Path

import copier

from chom_sdk.cli import TEMPLATE


def write_plugins(folder: Path, count: int) -> list[str]:
    """Plugins idle0 … in `folder`, importable and found by entry point once `folder` is on the path."""
    names = [f"idle{i}" for i in range(count)]
    for name in names:
        source = folder / "source" / name
        copier.run_copy(str(TEMPLATE), source, data={"name": name}, defaults=True, quiet=True)
        (source / f"chom_{name}").rename(folder / f"chom_{name}")
        info = folder / f"chom_{name}-0.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: chom-{name}\nVersion: 0.1.0\n")
        (info / "entry_points.txt").write_text(f"[chom.plugins]\n{name} = chom_{name}\n")
    return names
