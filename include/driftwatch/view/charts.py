"""The report's charts, as inline SVG whose width is a percentage: they fit any screen while their text keeps its size.

Colours are CSS classes of the report, so that charts follow the light and the dark scheme and print well. All text is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from driftwatch.accuracy.policy import percent
from driftwatch.view.report.facts import PastDay
from driftwatch.view.words import accuracy_text

_TOP, _HEIGHT, _AXIS = 34, 190, 40


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A line between points given as percent across and pixels down."""
    return Markup('<line x1="{:.2f}%" y1="{:.1f}" x2="{:.2f}%" y2="{:.1f}" class="{}"/>').format(x1, y1, x2, y2, kind)


def _bar(x1: float, x2: float, y: float, height: float, kind: str) -> Markup:
    return Markup('<rect x="{:.2f}%" y="{:.1f}" width="{:.2f}%" height="{:.1f}" rx="2" class="{}"/>').format(
        x1, y, max(x2 - x1, 0.3), height, kind
    )


def _text(x: float, y: float, text: str, kind: str, anchor: str = "middle") -> Markup:
    return Markup('<text x="{:.2f}%" y="{:.1f}" class="{}" text-anchor="{}">{}</text>').format(x, y, kind, anchor, text)


def _svg(parts: Sequence[Markup], height: float, label: str, kind: str) -> Markup:
    return Markup('<svg class="{}" width="100%" height="{:.0f}" role="img" aria-label="{}">{}</svg>').format(
        kind, height, label, Markup("").join(parts)
    )


def bands(reference: Sequence[float], day: Sequence[float], moved: bool) -> Markup:
    """Two bands on one scale: the reference's quantiles above the day's. Outer quantiles are the band, the middle one the mark."""
    low, high = min(*reference, *day), max(*reference, *day)
    span = (high - low) or 1.0

    def at(value: float) -> float:
        return 2 + 96 * (value - low) / span

    parts = []
    for quantiles, y, kind in ((reference, 3, "reference"), (day, 16, "moved" if moved else "same")):
        middle = at(quantiles[len(quantiles) // 2])
        parts.append(_bar(at(quantiles[0]), at(quantiles[-1]), y, 9, kind))
        if len(quantiles) >= 5:
            parts.append(_bar(at(quantiles[1]), at(quantiles[-2]), y, 9, kind))
        parts.append(_line(middle, y - 2, middle, y + 11, "mark"))
    label = (
        f"median {_short(reference[len(reference) // 2])} in the reference, {_short(day[len(day) // 2])} today; "
        f"bands {_short(reference[0])} to {_short(reference[-1])} and {_short(day[0])} to {_short(day[-1])}"
    )
    return _svg([Markup("<title>{}</title>").format(label), *parts], 28, label, "bands")


def _short(value: float) -> str:
    return f"{value:.3g}"


def interval_bar(found: dict[str, Any]) -> Markup:
    """A share from 0 to 1 with its interval; empty where it is undefined."""
    if found["value"] is None:
        return Markup("")
    point = 100 * found["value"]
    parts = [
        _bar(0, 100, 7, 4, "track"),
        _bar(100 * found["low"], 100 * found["high"], 5, 8, "same"),
        _line(point, 2, point, 16, "mark"),
    ]
    return _svg(parts, 18, f"{percent(found['value'])}", "shares")


def parts(numbers: dict[str, int]) -> Markup:
    """One bar cut into parts, each of its number's share; their names are its CSS classes."""
    total, left, bars = sum(numbers.values()), 0.0, []
    for kind, number in numbers.items():
        if number:
            width = 100 * number / total
            bars.append(_bar(left, left + width - 0.3, 0, 12, kind))
            left += width
    label = ", ".join(f"{number:,} {kind}" for kind, number in numbers.items())
    return _svg(bars, 12, label, "sum")


def history(days: Sequence[PastDay], floor: float) -> Markup:
    """Accuracy with its interval by day, the floor, drifted days shaded, a dashed line where another model takes over."""
    measured = [past.performance["accuracy"] for past in days if past.performance and past.performance["accuracy"]["n"]]
    bottom = min([0.5, floor - 0.05, *(found["low"] for found in measured)])
    bottom = max(0.0, int(bottom * 10) / 10)

    def down(share: float) -> float:
        return _TOP + _HEIGHT * (1 - (share - bottom) / (1 - bottom))

    left, width = 5.0, 95.0 / len(days)
    foot = down(bottom)
    parts = []
    for index, past in enumerate(days):
        if past.drift and past.drift["verdict"] == "drifted":
            parts.append(_bar(left + index * width, left + (index + 1) * width, _TOP, _HEIGHT, "drifted"))
    step = 0.1 if bottom >= 0.4 else 0.2
    ticks = [1 - step * index for index in range(int((1 - bottom) / step + 1e-9) + 1)]
    for tick in ticks:
        parts += [
            _line(left, down(tick), 100, down(tick), "gridline"),
            _text(left - 0.8, down(tick) + 4, f"{100 * tick:.0f}", "axis", "end"),
        ]
    parts.append(_line(left, down(floor), 100, down(floor), "floor"))
    version, takeovers = None, 0
    for index, past in enumerate(days):
        middle = left + (index + 0.5) * width
        performance = past.performance
        if performance:
            if version not in (None, performance["model_version"]):
                edge, takeovers = left + index * width, takeovers + 1
                above = _TOP - 8 - 14 * (takeovers % 2)  # neighbours would overlap on one line
                parts.append(_line(edge, above + 4, edge, foot, "takeover"))
                said = f"new model {performance['model_version']}"
                parts.append(_text(edge, above, said, "axis", "start" if index < len(days) / 2 else "end"))
            version = performance["model_version"]
            if performance["accuracy"]["n"]:
                parts.append(_day(past, middle, down))
        parts += _date(days, index, middle, foot)
    return _svg(parts, foot + _AXIS, f"accuracy of the last {len(days)} days", "history")


def _date(days: Sequence[PastDay], index: int, middle: float, foot: float) -> list[Markup]:
    day = days[index].day
    month = [_text(middle, foot + 33, f"{day:%b}", "axis")] if index == 0 or day.day == 1 else []
    return [_text(middle, foot + 18, f"{day.day}", "axis now" if index == len(days) - 1 else "axis"), *month]


def over_time(days: Sequence[PastDay], column: str, name: str) -> Markup:
    """A feature by day: the band of the day's 5 to 95 % and its median, drifted days in another colour, on the reference's band;
    a dashed line where another reference takes over. Empty where no day was tested."""
    found = [_of_day(past, column) for past in days]
    values = [
        value for row in found if row for value in (*(row["day_quantiles"] or ()), *(row["reference_quantiles"] or ()))
    ]
    if not values:
        return Markup("")
    low, high = min(values), max(values)
    span, height, top, left = (high - low) or 1.0, 110, 8, 5.0
    width = (100 - left) / len(days)

    def down(value: float) -> float:
        return top + height * (1 - (value - low) / span)

    def band(place: float, share: float, quantiles: Sequence[float], kind: str) -> Markup:
        room = width * (1 - share) / 2
        upper, lower = down(quantiles[-1]), down(quantiles[0])
        return _bar(place + room, place + width - room, upper, max(lower - upper, 1), kind)

    foot, parts, version, drifted = top + height, [], None, 0
    for value in (low, high):
        parts += [
            _line(left, down(value), 100, down(value), "gridline"),
            _text(left - 0.8, down(value) + 4, _short(value), "axis", "end"),
        ]
    for index, (past, row) in enumerate(zip(days, found, strict=True)):
        place = left + index * width
        parts += _date(days, index, place + width / 2, foot)
        if not row or not row["day_quantiles"] or not row["reference_quantiles"]:
            continue
        moved, ours, theirs = row["verdict"] == "drifted", row["day_quantiles"], row["reference_quantiles"]
        drifted += moved
        reference = past.drift["reference_version"] if past.drift else None
        if version not in (None, reference):
            parts.append(_line(place, top, place, foot, "takeover"))
        version = reference
        at, theirs_at = down(ours[len(ours) // 2]), down(theirs[len(theirs) // 2])
        parts.append(band(place, 1, theirs, "reference"))
        parts.append(_line(place, theirs_at, place + width, theirs_at, "usual"))
        said = Markup("<title>{}: {} median {}, reference {}, {}</title>").format(
            past.day.isoformat(),
            name,
            _short(ours[len(ours) // 2]),
            _short(theirs[len(theirs) // 2]),
            row["verdict"].replace("_", " "),
        )
        day = [
            band(place, 0.5, ours, "moved" if moved else "same"),
            _line(place + 0.25 * width, at, place + 0.75 * width, at, "mark"),
        ]
        if moved:  # not by colour alone
            day.append(_dot(place + width / 2, at, "moved"))
        parts.append(Markup("<g>{}{}</g>").format(Markup("").join(day), said))
    return _svg(parts, foot + _AXIS, f"{name} of the last {len(days)} days, {drifted} drifted", "over-time")


def _of_day(past: PastDay, column: str) -> dict[str, Any] | None:
    rows = past.drift["features"] if past.drift else []
    return next((row for row in rows if row["feature"] == column), None)


def _dot(x: float, y: float, kind: str) -> Markup:
    """A circle, or a diamond for what is worse or moved, which must not rest on colour alone. The inner svg takes the percentage."""
    if kind in ("alert", "moved"):
        shape = Markup('<path d="M0-7 7 0 0 7-7 0z" class="dot {}"/>').format(kind)
    else:
        shape = Markup('<circle r="5" class="dot {}"/>').format(kind)
    return Markup('<svg x="{:.2f}%" y="{:.1f}" overflow="visible">{}</svg>').format(x, y, shape)


def _day(past: PastDay, middle: float, down: Any) -> Markup:
    performance = past.performance
    assert performance is not None
    accuracy, kind = performance["accuracy"], performance["verdict"]
    parts = [
        _line(middle, down(accuracy["low"]), middle, down(accuracy["high"]), f"whisker {kind}"),
        _dot(middle, down(accuracy["value"]), kind),
        Markup("<title>{}: {}, {}, {} labels, model {}</title>").format(
            past.day.isoformat(),
            accuracy_text(performance),
            kind.replace("_", " "),
            performance["labels"],
            performance["model_version"],
        ),
    ]
    return Markup("<g>{}</g>").format(Markup("").join(parts))
