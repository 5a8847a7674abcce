"""Charts: uPlot draws them in the browser from JSON in a data attribute; sparklines are SVG made here.

Every chart carries its numbers as a table too, for readers who see no picture or run no script.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from markupsafe import Markup
from msgspec import Struct, field

Value = float | int | None


class Series(Struct, frozen=True):
    """One line or set of bars. `tone`: primary, neutral, info, good, warn, bad. `values`: None where unknown."""

    label: str
    values: Sequence[Value]
    kind: Literal["line", "area", "bar", "dash"] = "line"
    tone: str = "primary"


class Chart(Struct, frozen=True):
    """A chart over `x`: Unix seconds, or words where `time` is False. `unit` follows each figure (`GB`, `%`)."""

    title: str
    x: Sequence[float | int | str]
    series: Sequence[Series]
    unit: str = ""
    time: bool = True
    height: int = 240
    limit: float | None = None
    limit_label: str = ""
    x_labels: Sequence[str] = field(default_factory=tuple)

    @property
    def data(self) -> str:
        """What the script reads. Escaping is the template's."""
        xs = list(self.x) if self.time else list(range(len(self.x)))
        return json.dumps(
            {
                "x": xs,
                "words": [] if self.time else [str(word) for word in self.x],
                "unit": self.unit,
                "height": self.height,
                "limit": self.limit,
                "series": [
                    {"label": s.label, "kind": s.kind, "tone": s.tone, "values": list(s.values)}
                    for s in self.series
                ],
            },
            separators=(",", ":"),
        )

    @property
    def rows(self) -> list[tuple[str, list[Value]]]:
        """The table behind the picture: what is on the x axis, then each series' value."""
        heads = self.x_labels or [_day(x) if self.time else str(x) for x in self.x]
        return [(head, [s.values[i] for s in self.series]) for i, head in enumerate(heads)]


def _day(stamp: float | int | str) -> str:
    from datetime import UTC, datetime

    from chom_core.web.formats import day

    return day(datetime.fromtimestamp(float(stamp), UTC))


def sparkline(values: Sequence[Value], label: str = "", width: int = 96, height: int = 24) -> Markup:
    """A small line of `values`, oldest first. With a `label` it is a picture with a name, without one decoration."""
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return Markup("")
    low, high = min(known), max(known)
    span = (high - low) or 1
    step = width / (len(known) - 1)
    points = [
        (round(i * step, 1), round(height - 3 - (v - low) / span * (height - 6), 1))
        for i, v in enumerate(known)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    name = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup(
        '<svg class="sparkline" {} width="{}" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">'
        '<polygon points="0,{} {} {},{}"/><polyline points="{}"/></svg>'
    ).format(name, width, height, width, height, height, line, width, height, line)
