"""Shares, their intervals and p-values as texts. The report, the pages, the alerts and the command line take them from here and never
round a number themselves."""

from __future__ import annotations

from dataclasses import dataclass

from driftwatch.artifacts.parts import Interval, Share
from driftwatch.view.numbers import beyond, interval, p_text, percent

# Behind a share of images that stand for no others.
NO_INTERVAL = "of the labelled images"


@dataclass(frozen=True)
class ShownShare:
    """A share for people. `text`: `61.3 %`, or `–` where it is undefined; `note`: its interval, `[53, 69]`, or why it is undefined."""

    text: str
    note: str

    @property
    def both(self) -> str:
        return f"{self.text} {self.note}"


def shown(found: Share) -> ShownShare:
    """The share and its interval, or why there is none."""
    if found.value is None:
        return ShownShare("–", found.reason or "")
    if found.numbers is None:
        return ShownShare(percent(found.value), NO_INTERVAL)
    return ShownShare(percent(found.value), interval(found))


def share_text(found: Interval) -> str:
    """`61.3 % [53, 69]`, or `–` where there is no value."""
    return "–" if found.value is None else f"{percent(found.value)} {interval(found)}".rstrip()


def accuracy_text(found: Share) -> str:
    """`61.3 % [53, 69]`, or that there is none. Labels that stand for no other images have no interval."""
    if found.value is not None and found.numbers is None:
        return f"{percent(found.value)} {NO_INTERVAL}"
    return "not measured" if found.value is None else share_text(found)


def wide_share(found: Share) -> str:
    """`61.3% (53.1% to 69.2%, n 150)`, as the command line says it; or why there is none."""
    if found.value is not None and found.numbers is None:
        return f"{plain_percent(found.value)} ({NO_INTERVAL}, n {found.n})"
    return f"none ({found.reason})" if found.numbers is None else _wide(found.numbers, f", n {found.n}")


def share_with_ends(found: Interval) -> str:
    """`61.3% (53.1% to 69.2%)`, as the approval form and the plan say it; `none` where there is no value."""
    return "none" if found.numbers is None else _wide(found.numbers)


def _wide(numbers: tuple[float, float, float], more: str = "") -> str:
    value, low, high = map(plain_percent, numbers)
    return f"{value} ({low} to {high}{more})"


def plain_percent(value: float) -> str:
    """`0.7` as `70.0%`: where shares stand below each other, and in the gate's reasons."""
    return beyond(value, "") or f"{value:.1%}"


def change_text(difference: float) -> str:
    """`0.128` as `+12.8%`: by how much of the images two models differ."""
    return f"{difference:+.1%}"


def whole_percent(value: float) -> str:
    """`0.6137` as `61 %`: for parts of a whole, such as the cells of a table."""
    return percent(round(value, 2))


def p_digits(p_value: float | None) -> str:
    """`0.02` or `< 0.0001`, for a column that is headed p; `–` without a test."""
    return "–" if p_value is None else p_text(p_value).removeprefix("p ").removeprefix("= ")
