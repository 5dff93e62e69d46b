"""The accuracy of the last days as a line of the overview's row, inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from driftwatch.view.numbers import percent

if TYPE_CHECKING:
    from driftwatch.view.days import Day

_WIDTH, _HEIGHT, _EDGE = 110, 26, 4


def sparkline(days: Sequence[Day], floor: float) -> Markup:
    """The accuracy of each day that has one, with the floor as a dotted line. The last one's dot has its tone. Empty with less than two days."""
    known = [
        (row.day, row.performance.accuracy.value, row.model_verdict)
        for row in days
        if row.performance and row.performance.accuracy.value is not None
    ]
    if len(known) < 2:
        return Markup("")
    values = [value for _, value, _ in known]
    low, high = min(*values, floor), max(*values, floor)
    first, span = known[0][0], (known[-1][0] - known[0][0]).days or 1

    def down(value: float) -> float:
        return _EDGE + (_HEIGHT - 2 * _EDGE) * (high - value) / ((high - low) or 1.0)

    points = [(_EDGE + (_WIDTH - 2 * _EDGE) * (day - first).days / span, down(value)) for day, value, _ in known]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    said = f"Accuracy {percent(values[0])} on {first}, {percent(values[-1])} on {known[-1][0]}, floor {percent(floor)}"
    tone = known[-1][2].tone if known[-1][2] else ""
    return Markup(
        '<svg class="spark" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" aria-label="{said}"><title>{said}</title>'
        '<line x1="0" x2="{w}" y1="{floor:.1f}" y2="{floor:.1f}" class="floor"/><polyline points="{line}"/>'
        '<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{tone}"/></svg>'
    ).format(w=_WIDTH, h=_HEIGHT, said=said, floor=down(floor), line=line, x=points[-1][0], y=points[-1][1], tone=tone)
