"""The report's charts, as inline SVG. Their width is a percentage, so they fit any screen and their text keeps its size.

Colours are CSS classes of the report. So charts follow the light and the dark scheme, and they print well. All text is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from markupsafe import Markup

from driftwatch.artifacts.parts import Interval
from driftwatch.view.numbers import percent
from driftwatch.view.shares import share_text
from driftwatch.view.words import count

if TYPE_CHECKING:
    from driftwatch.view.series import FeatureSeries, Series

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
    """Two bands on one scale: the reference's quantiles above the day's. The outer quantiles are the ends of a band. The middle one is the mark."""
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


def interval_bar(found: Interval) -> Markup:
    """A share from 0 to 1 with its interval; empty where it is undefined."""
    if found.value is None or found.low is None or found.high is None:
        return Markup("")
    point = 100 * found.value
    parts = [
        _bar(0, 100, 7, 4, "track"),
        _bar(100 * found.low, 100 * found.high, 5, 8, "same"),
        _line(point, 2, point, 16, "mark"),
    ]
    return _svg(parts, 18, percent(found.value), "shares")


def parts(numbers: dict[str, int]) -> Markup:
    """One bar, cut into parts. Each part is as long as the share of its number. The names are the CSS classes."""
    total, left, bars = sum(numbers.values()), 0.0, []
    for kind, number in numbers.items():
        if number:
            width = 100 * number / total
            bars.append(_bar(left, left + width - 0.3, 0, 12, kind))
            left += width
    label = ", ".join(f"{number:,} {kind}" for kind, number in numbers.items())
    return _svg(bars, 12, label, "sum")


def history(days: Series, floor: float) -> Markup:
    """Accuracy with its interval by day, the floor, drifted days shaded, a dashed line where another model takes over."""
    accuracy = days.performance.accuracy
    measured = [share for share in [*accuracy.low, *accuracy.value] if share is not None]
    bottom = min([0.5, floor - 0.05, *measured])
    bottom = max(0.0, int(bottom * 10) / 10)

    def down(share: float) -> float:
        return _TOP + _HEIGHT * (1 - (share - bottom) / (1 - bottom))

    number, left = len(days.days), 5.0
    width, foot = 95.0 / number, down(bottom)
    parts = [
        _bar(left + place * width, left + (place + 1) * width, _TOP, _HEIGHT, "drifted")
        for place, verdict in enumerate(days.drift.verdict)
        if verdict == "drifted"
    ]
    step = 0.1 if bottom >= 0.4 else 0.2
    for tick in [1 - step * turn for turn in range(int((1 - bottom) / step + 1e-9) + 1)]:
        parts += [
            _line(left, down(tick), 100, down(tick), "gridline"),
            _text(left - 0.8, down(tick) + 4, f"{100 * tick:.0f}", "axis", "end"),
        ]
    parts.append(_line(left, down(floor), 100, down(floor), "floor"))
    takeovers = {found.day: (turn, found.version) for turn, found in enumerate(days.takeovers, start=1)}
    for place, day in enumerate(days.days):
        middle = left + (place + 0.5) * width
        if day in takeovers:
            edge, (turn, version) = left + place * width, takeovers[day]
            above = _TOP - 8 - 14 * (turn % 2)  # neighbours would overlap on one line
            parts.append(_line(edge, above + 4, edge, foot, "takeover"))
            parts.append(_text(edge, above, f"new model {version}", "axis", "start" if place < number / 2 else "end"))
        parts += [*_judged(days, place, middle, down), *_date(days.days, place, middle, foot)]
    return _svg(parts, foot + _AXIS, f"accuracy of the last {number} days", "history")


def _judged(days: Series, place: int, middle: float, down: Callable[[float], float]) -> list[Markup]:
    """A day's mark, without a whisker where no interval is claimed. No mark if there is no label that tells its accuracy."""
    found, verdict = days.performance, days.performance.verdict[place]
    value, low, high = (column[place] for column in (found.accuracy.value, found.accuracy.low, found.accuracy.high))
    if verdict is None or value is None:
        return []
    said = Markup("<title>{}: {}, {}, {}, model {}</title>").format(
        days.days[place],
        share_text(Interval(value=value, low=low, high=high)),
        days.words.verdicts[verdict],
        count(int(found.labels[place] or 0), "label"),
        days.version[place],
    )
    parts = [_dot(middle, down(value), verdict), said]
    if low is not None and high is not None:
        parts.insert(0, _line(middle, down(low), middle, down(high), f"whisker {verdict}"))
    return [Markup("<g>{}</g>").format(Markup("").join(parts))]


def _date(days: Sequence[str], place: int, middle: float, foot: float) -> list[Markup]:
    day = date.fromisoformat(days[place])
    month = [_text(middle, foot + 33, f"{day:%b}", "axis")] if place == 0 or day.day == 1 else []
    return [_text(middle, foot + 18, f"{day.day}", "axis now" if place == len(days) - 1 else "axis"), *month]


_OVER_TIME, _ABOVE = 110, 8  # height of the chart, and room above it


def over_time(days: Series, found: FeatureSeries) -> Markup:
    """A feature by day: the band of the day's 5 to 95 % and its median, drifted days in another colour, on the reference's band;
    a dashed line where another model takes over. Empty where no day was tested."""
    tested = [
        (place, ours, theirs)
        for place, ours in enumerate(found.quantiles)
        if ours and (theirs := found.usual(place)) is not None
    ]
    values = [value for _, ours, theirs in tested for value in (*ours, *theirs)]
    if not values:
        return Markup("")
    low, high = min(values), max(values)
    span, left = (high - low) or 1.0, 5.0
    width, foot = (100 - left) / len(days.days), _ABOVE + _OVER_TIME

    def down(value: float) -> float:
        return _ABOVE + _OVER_TIME * (1 - (value - low) / span)

    parts = []
    for value in (low, high):
        parts += [
            _line(left, down(value), 100, down(value), "gridline"),
            _text(left - 0.8, down(value) + 4, _short(value), "axis", "end"),
        ]
    quantiles = {place: (ours, theirs) for place, ours, theirs in tested}
    takeovers = {takeover.day for takeover in days.takeovers}
    for place, day in enumerate(days.days):
        at = left + place * width
        parts += _date(days.days, place, at + width / 2, foot)
        if day in takeovers:
            parts.append(_line(at, _ABOVE, at, foot, "takeover"))
        if place in quantiles:
            ours, theirs = quantiles[place]
            verdict = found.verdict[place] or ""
            said = (
                f"{day}: {found.name} median {_short(_middle(ours))}, reference {_short(_middle(theirs))}, "
                f"{days.words.verdicts[verdict]}"
            )
            parts += _compared((at, width), ours, theirs, down, verdict == "drifted", said)
    drifted = sum(found.verdict[place] == "drifted" for place in quantiles)
    return _svg(parts, foot + _AXIS, f"{found.name} of the last {len(days.days)} days, {drifted} drifted", "over-time")


def _middle(quantiles: Sequence[float]) -> float:
    return quantiles[len(quantiles) // 2]


def _compared(
    room: tuple[float, float], ours: Sequence[float], theirs: Sequence[float], down: Callable[[float], float], moved: bool, said: str
) -> list[Markup]:  # fmt: skip
    """A day's band and median on those of its reference. `room`: where it begins and how wide it is, in percent across; `said`: its tip."""
    at, width = room

    def band(share: float, quantiles: Sequence[float], kind: str) -> Markup:
        free = width * (1 - share) / 2
        upper, lower = down(quantiles[-1]), down(quantiles[0])
        return _bar(at + free, at + width - free, upper, max(lower - upper, 1), kind)

    median, usual = down(_middle(ours)), down(_middle(theirs))
    day = [
        band(0.5, ours, "moved" if moved else "same"),
        _line(at + 0.25 * width, median, at + 0.75 * width, median, "mark"),
    ]
    if moved:  # colour alone must not show it
        day.append(_dot(at + width / 2, median, "moved"))
    tip = Markup("<title>{}</title>").format(said)
    return [
        band(1, theirs, "reference"),
        _line(at, usual, at + width, usual, "usual"),
        Markup("<g>{}{}</g>").format(Markup("").join(day), tip),
    ]


def _dot(x: float, y: float, kind: str) -> Markup:
    """A circle; or a diamond for what is worse or has moved, since colour alone must not show that. The inner svg takes the percentage."""
    if kind in ("alert", "moved"):
        shape = Markup('<path d="M0-7 7 0 0 7-7 0z" class="dot {}"/>').format(kind)
    else:
        shape = Markup('<circle r="5" class="dot {}"/>').format(kind)
    return Markup('<svg x="{:.2f}%" y="{:.1f}" overflow="visible">{}</svg>').format(x, y, shape)
