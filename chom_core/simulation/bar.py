"""A progress bar on a terminal; elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self, TextIO

WIDTH, EVERY = 30, 10.0


class Bar:
    """`with Bar("simulating") as bar: bar.show(done, of)`; what is shown goes to standard error."""

    def __init__(self, title: str, out: TextIO | None = None) -> None:
        self.title, self.out = title, out or sys.stderr
        self._live = self.out.isatty()
        self._begun = self._shown = time.monotonic()
        self._drawn = False

    def show(self, done: int, of: int) -> None:
        """`done` of `of` organisation-months are over."""
        now = time.monotonic()
        if now - self._shown < (0.2 if self._live else EVERY) and done < of:
            return
        self._shown = now
        full = WIDTH * done // max(1, of)
        passed = now - self._begun
        left = passed / done * (of - done) if done else 0.0
        line = f"{self.title} [{'#' * full}{'.' * (WIDTH - full)}] {done}/{of}  {passed:.0f} s, {left:.0f} s left"
        print(
            f"\r{line}\x1b[K" if self._live else line,
            end="" if self._live else "\n",
            file=self.out,
            flush=True,
        )
        self._drawn = self._live

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            print(file=self.out, flush=True)
